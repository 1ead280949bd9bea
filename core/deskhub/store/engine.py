"""Connections to the database, opened so that an acknowledged commit survives a power cut."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from deskhub.store.prepared import on_cursor
from deskhub.store.sabotage import sabotaged

READERS = 4
# The transactions are ours to begin: the driver would begin them late and not IMMEDIATE.
_CONNECT = {"isolation_level": None, "check_same_thread": False, "timeout": 2.0}
# The writer never checkpoints by itself: that would put fsyncs of the whole file between a
# message and its acknowledgement.
_WRITER_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32768",
    # What was erased leaves no bytes behind.
    "PRAGMA secure_delete=ON",
)
_READER_PRAGMAS = (
    "PRAGMA query_only=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-8192",
)


def writer_engine(url: str) -> sa.Engine:
    """Return the engine of the one writing connection; its transactions begin IMMEDIATE."""
    _make_folder(url)
    engine = sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=1,
        connect_args=_CONNECT,
        # An error is logged; what it was about, such as a message's text, must not be.
        hide_parameters=True,
    )
    careless = ("PRAGMA synchronous=NORMAL",) if sabotaged("no_sync") else ()
    _on_connect(engine, _WRITER_PRAGMAS + careless)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        on_cursor(connection, "BEGIN", lambda cursor: cursor.execute("BEGIN IMMEDIATE"))

    return engine


def reader_engine(url: str) -> sa.Engine:
    """Return the engine of the reading connections; one transaction sees one state."""
    engine = sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=0,
        connect_args=_CONNECT,
        # An error is logged; what it was about, such as a message's text, must not be.
        hide_parameters=True,
    )
    _on_connect(engine, _READER_PRAGMAS)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def path_of(url: str) -> Path | None:
    """Return the database file, or None when there is none."""
    parsed = sa.make_url(url)
    return Path(parsed.database) if parsed.database and parsed.database != ":memory:" else None


def _make_folder(url: str) -> None:
    path = path_of(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)


def _on_connect(engine: sa.Engine, pragmas: tuple[str, ...]) -> None:
    @sa.event.listens_for(engine, "connect")
    def connect(raw: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401
        for pragma in pragmas:
            raw.execute(pragma).fetchall()
