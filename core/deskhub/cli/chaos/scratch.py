"""A copy of an installation in a folder of its own, deleted afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from deskhub.cli.chaos.notes import Row
from deskhub.cli.chaos.people import EMAIL
from deskhub.cli.chaos.process import Process
from deskhub.cli.running import with_identity
from deskhub.config import Config, load
from deskhub.identity.records import Agent
from deskhub.identity.service import Identity


class Scratch:
    """The copy: its folder, its database, and the hub that runs on it."""

    def __init__(self, folder: Path, settings: Config) -> None:
        """Use *folder*, which is empty, for a hub like *settings*."""
        self.password = secrets.token_urlsafe(18)
        self.inbox = next(iter(settings.inboxes.values()))
        self._database = folder / "data" / "deskhub.db"
        self._config = folder / "hub.toml"
        (folder / "data").mkdir()
        self._config.write_text(_written(settings), encoding="utf-8")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        self.hub = Process(self._config, port, folder / "hub.log")

    async def prepare(self, original: Path | None) -> None:
        """Copy the database, while its hub may be running, and add who watches."""
        if original is not None:
            await asyncio.to_thread(_copy, original, self._database)
        await add_watcher(load(self._config), self.inbox.tenant, self.password)

    def log(self) -> list[Row]:
        """Return every event in the copy."""
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            return connection.execute("SELECT tenant, seq, kind, data FROM event").fetchall()

    def head(self) -> int:
        """Return the last seq of the inbox's tenant."""
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            query = "SELECT head FROM tenant WHERE tenant = ?"
            return int(connection.execute(query, (self.inbox.tenant,)).fetchone()[0])


async def add_watcher(settings: Config, tenant: str, password: str) -> None:
    """Add the agent who watches to the installation of *settings*."""

    def add(identity: Identity) -> Awaitable[Agent]:
        return identity.add_agent(
            tenant=tenant, email=EMAIL, name="Chaos", role="agent", password=password
        )

    work: Callable[[Identity], Awaitable[Agent]] = add
    await with_identity(settings, work)


def _copy(original: Path, to: Path) -> None:
    """Copy a database that may be in use; the original is opened for reading only."""
    # Without a write-ahead log nobody has it open; looking for one would leave its files.
    is_open = original.with_name(original.name + "-wal").exists()
    how = "mode=ro" if is_open else "mode=ro&immutable=1"
    with (
        contextlib.closing(
            sqlite3.connect(f"{original.resolve().as_uri()}?{how}", uri=True)
        ) as source,
        contextlib.closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target, pages=1024, sleep=0.002)


def _written(settings: Config) -> str:
    """Return a hub.toml with the same inboxes, other data, and no adapters."""
    lines = [
        "[hub]",
        # The people of the test have addresses of their own, as behind a proxy.
        'trust_proxy = ["127.0.0.1"]',
        'store = "sqlite:///data/deskhub.db"',
        'data = "data"',
        'log = "warning"',
    ]
    for inbox in settings.inboxes.values():
        lines += [
            "",
            f"[inboxes.{inbox.id}]",
            # JSON's texts and lists of texts are TOML's as well.
            f"key = {json.dumps(inbox.key)}",
            f"tenant = {json.dumps(inbox.tenant)}",
            f"name = {json.dumps(inbox.name)}",
            f"origins = {json.dumps(inbox.origins)}",
            f"languages = {json.dumps(inbox.languages)}",
        ]
    return "\n".join(lines) + "\n"
