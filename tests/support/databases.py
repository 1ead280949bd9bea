"""Databases of a test's own: a file, or a database on the PostgreSQL of this machine.

Suites that are not about one database ask `url_for`; with ``DESKHUB_TEST_STORE=postgresql``
they all run on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

ADMIN = os.environ.get("DESKHUB_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
NATS = os.environ.get("DESKHUB_TEST_NATS", "nats://127.0.0.1:4222")


def answers(url: str) -> bool:
    """Return whether something listens at *url*."""
    where = urlsplit(url)
    try:
        with socket.create_connection((where.hostname or "", where.port or 0), 1):
            return True
    except OSError:
        return False


def needs(name: str, url: str) -> None:
    """Skip the test where *name* does not run; with DESKHUB_CI=1 that is a failure."""
    if answers(url):
        return
    why = f"no {name} at {urlsplit(url).netloc}"
    if os.environ.get("DESKHUB_CI") == "1":
        pytest.fail(why)
    pytest.skip(why)


def sql(statement: str, url: str = ADMIN) -> list[tuple[object, ...]]:
    """Run one statement on the server, from any thread, and return its rows."""
    found: list[tuple[object, ...]] = []

    async def run() -> None:
        import asyncpg

        connection = await asyncpg.connect(url)
        try:
            found.extend(tuple(row) for row in await connection.fetch(statement))
        finally:
            await connection.close()

    # The caller's thread may have a running loop.
    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    return found


def new_postgres() -> str:
    """Return the url of a new, empty database."""
    name = f"deskhub_test_{uuid4().hex[:12]}"
    sql(f"CREATE DATABASE {name}")
    return ADMIN.rpartition("/")[0] + f"/{name}"


def drop(url: str) -> None:
    """Remove a database of `new_postgres`, whoever is still connected."""
    sql(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the url of a database that is gone afterwards."""
    needs("PostgreSQL", ADMIN)
    url = new_postgres()
    try:
        yield url
    finally:
        drop(url)


@cache
def url_for(file: Path) -> str:
    """Return the same database for the same *file*: it, or one on the server in its place."""
    if os.environ.get("DESKHUB_TEST_STORE", "sqlite") == "sqlite":
        return f"sqlite:///{file}"
    needs("PostgreSQL", ADMIN)
    url = new_postgres()
    atexit.register(drop, url)
    return url
