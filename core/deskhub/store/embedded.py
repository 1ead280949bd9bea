"""SQLite: a file of this process, read by threads and written by one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

import sqlalchemy as sa

from deskhub.errors import StoreDown
from deskhub.store import schema
from deskhub.store.checkpoints import Checkpoints
from deskhub.store.database import FileRefused
from deskhub.store.engine import READERS, path_of, reader_engine, writer_engine
from deskhub.store.failures import is_locked

log = logging.getLogger("deskhub.store")

LOCKED_S = 10.0
AGAIN_S = 0.2

T = TypeVar("T")


class Embedded:
    """A `Database` in one file."""

    is_shared = False

    def __init__(self, url: str) -> None:
        """Open the file of *url* (``sqlite:///path``)."""
        self._engine = writer_engine(url)
        self._readers = reader_engine(url)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="deskhub-reader")
        self._checkpoints = Checkpoints(self._engine, path_of(url))

    @property
    def writer(self) -> sa.Engine:
        """Return the engine of the one writing connection."""
        return self._engine

    async def prepare(self) -> None:
        """Bring the database to this version's tables. Raises `SchemaTooNew`, `FileRefused`.

        Waits `LOCKED_S` for a lock: after a crash the first process of several takes in the
        write-ahead log, and keeps the others out until then.
        """
        deadline = monotonic() + LOCKED_S
        while True:
            try:
                await asyncio.to_thread(self._prepare)
            except sa.exc.DatabaseError as error:
                if not is_locked(error) or monotonic() > deadline:
                    raise FileRefused(str(error.orig)) from error
                log.info("waiting_for_lock", extra={"why": str(error.orig)})
                await asyncio.sleep(AGAIN_S)
            else:
                return

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run *query* on a reader's thread. Raises `StoreDown`."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._read, query
        )

    def enter(self, work: Callable[[], T]) -> T:
        """Run *work*: SQLite needs nothing around it."""
        return work()

    def left(self) -> None:
        """Nothing was held."""

    def between(self, connection: sa.Connection) -> None:
        """Restart a large write-ahead log."""
        self._checkpoints.between(connection)

    async def scrub(self) -> bool:
        """Empty the write-ahead log, which repeats what stood in the file."""
        return await asyncio.to_thread(self._checkpoints.empty)

    async def run(self) -> None:
        """Move the write-ahead log into the file, until cancelled."""
        await self._checkpoints.run()

    async def close(self) -> None:
        """Close every connection and leave one file behind."""
        self._threads.shutdown(wait=True)
        self._readers.dispose()
        await asyncio.to_thread(self._checkpoints.last)
        self._engine.dispose()

    def _prepare(self) -> None:
        schema.prepare(self._engine)
        self._open_readers()

    def _open_readers(self) -> None:
        """Open all of them now: later the process may have no descriptor left."""
        with contextlib.ExitStack() as open_at_once:
            for _ in range(READERS):
                connection = open_at_once.enter_context(self._readers.connect())
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")

    def _read(self, query: Callable[[sa.Connection], T]) -> T:
        try:
            with self._readers.connect() as connection, connection.begin():
                return query(connection)
        except sa.exc.OperationalError as error:
            raise StoreDown("the database cannot be read", after_ms=1_000) from error
