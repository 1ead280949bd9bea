"""Moving the write-ahead log into the database file, away from the messages' way to disk."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from pathlib import Path

import sqlalchemy as sa

from deskhub.store.failpoints import reach

log = logging.getLogger("deskhub.store")

EVERY_S = 0.5
STEP_BYTES = 512 * 1024
# SQLite starts the write-ahead log anew only when nothing of it is unread; under steady load
# that moment never comes by itself, so the writer makes it between two batches.
RESTART_BYTES = 32 * 1024 * 1024


class Checkpoints:
    """Small passive checkpoints on a connection of their own."""

    def __init__(self, engine: sa.Engine, path: Path | None) -> None:
        """Work on the database file *path*; None has nothing to do."""
        self._engine = engine
        self._wal = path.with_name(path.name + "-wal") if path else None
        self._done = 0

    async def run(self) -> None:
        """Checkpoint twice a second when enough was written."""
        while True:
            await asyncio.sleep(EVERY_S)
            size = self._size()
            if size < self._done or size - self._done > STEP_BYTES:
                self._done = size
                await asyncio.to_thread(self._pragma, "PASSIVE")

    def between(self, connection: sa.Connection) -> None:
        """Restart a large write-ahead log; on the writer's thread, between two batches."""
        if self._done > RESTART_BYTES:
            self._done = 0
            raw = connection.connection.dbapi_connection
            if raw is not None:
                cursor = raw.cursor()
                # Somebody who reads for long, such as a backup, must not make writers wait.
                cursor.execute("PRAGMA busy_timeout=0").fetchall()
                cursor.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
                cursor.execute("PRAGMA busy_timeout=2000").fetchall()

    def last(self) -> None:
        """Leave one file behind instead of three."""
        self._pragma("TRUNCATE")

    def empty(self) -> bool:
        """Move everything into the file and cut the log to nothing; return whether it is."""
        self._pragma("TRUNCATE")
        self._done = 0
        return self._size() == 0

    def _size(self) -> int:
        try:
            return self._wal.stat().st_size if self._wal else 0
        except FileNotFoundError:
            return 0

    def _pragma(self, mode: str) -> None:
        try:
            raw = self._engine.raw_connection()
        except (sa.exc.OperationalError, sqlite3.OperationalError):
            # Nobody can open the file now: the first from the pool, the second from a PRAGMA.
            return
        try:
            reach("checkpoint.before")
            raw.cursor().execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
            reach("checkpoint.after")
        except Exception as error:  # noqa: BLE001  a missed checkpoint costs disk, not data
            log.warning("checkpoint_failed", extra={"mode": mode, "error": repr(error)})
        finally:
            raw.close()
