"""PostgreSQL: the same synchronous functions, run in greenlets over asyncpg.

The writer's thread has a loop of its own, and so has the thread of the readers: turning
hundreds of rows into objects must not hold up the loop that serves the sockets.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from deskhub.errors import ExtraMissing, StoreDown
from deskhub.store import schema
from deskhub.store.database import Refused
from deskhub.store.failures import is_down, is_refused

log = logging.getLogger("deskhub.store")

T = TypeVar("T")

READERS = 8
CONNECT_S = 5.0
COMMAND_S = 15.0
# How long a start waits for a database that starts at the same time.
AWAIT_S = 20.0
# "on" is not negotiable: an acknowledged commit is on disk. A process that was stopped in the
# middle of a transaction must not hold the tenant's counter from all the others.
_SETTINGS = {
    "application_name": "deskhub",
    "jit": "off",
    "lock_timeout": "5000",
    "statement_timeout": "10000",
    "idle_in_transaction_session_timeout": "5000",
}
_WRITER_SETTINGS = _SETTINGS | {"synchronous_commit": "on"}
_READER_SETTINGS = _SETTINGS | {"default_transaction_read_only": "on"}


class Postgres:
    """A `Database` on a server, shared with other processes."""

    is_shared = True

    def __init__(self, url: str) -> None:
        """Connect to *url* (``postgresql://…``) when it is needed. Raises `ExtraMissing`."""
        try:
            import asyncpg  # noqa: F401, PLC0415  an extra: most hubs have no server
        except ModuleNotFoundError as error:
            raise ExtraMissing(
                "PostgreSQL needs two more packages: pip install 'deskhub[scale]'"
            ) from error
        self._writer = _engine(url, _WRITER_SETTINGS, "READ COMMITTED", size=1)
        self._readers = _engine(url, _READER_SETTINGS, "REPEATABLE READ", size=READERS)
        self._reading = _Loop("deskhub-readers")
        self._writing: asyncio.Runner | None = None

    @property
    def writer(self) -> sa.Engine:
        """Return the engine of the one writing connection; use it inside `enter`."""
        return self._writer.sync_engine

    async def prepare(self) -> None:
        """Wait for the server and bring the database to this version's tables.

        Raises `SchemaTooNew`, `Refused`, and `StoreDown` when the server does not answer.
        """
        deadline = time.monotonic() + AWAIT_S
        while True:
            try:
                await asyncio.to_thread(self._prepare)
            except Exception as error:
                if is_refused(error):
                    raise Refused(str(getattr(error, "orig", None) or error)) from error
                if not is_down(error):
                    raise
                if time.monotonic() > deadline:
                    raise StoreDown("the database does not answer", after_ms=1_000) from error
                log.info("store_awaited", extra={"why": type(error).__name__})
                await asyncio.sleep(0.5)
            else:
                return

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run *query* on the readers' thread; again when its connection turns out to be dead.

        Raises `StoreDown`.
        """
        work = partial(self._read, query)
        try:
            return await self._reading.call(greenlet_spawn(work))
        except Exception as error:
            if not is_down(error):
                raise
        try:
            return await self._reading.call(greenlet_spawn(work))
        except Exception as error:
            if not is_down(error):
                raise
            raise StoreDown("the database cannot be read", after_ms=1_000) from error

    def enter(self, work: Callable[[], T]) -> T:
        """Run *work* in a greenlet on the writer's own loop."""
        if self._writing is None:
            self._writing = asyncio.Runner(loop_factory=_new_loop)
        return self._writing.run(greenlet_spawn(work))

    def left(self) -> None:
        """Close the writer's connection and its loop."""
        if self._writing is not None:
            self._writing.run(_disposed(self._writer))
            self._writing.close()
            self._writing = None

    def between(self, connection: sa.Connection) -> None:
        """The server needs nothing."""

    async def scrub(self) -> bool:
        """The server's vacuum reuses what was overwritten; nothing is left to ask of it."""
        return True

    async def run(self) -> None:
        """The server keeps itself in order; stay until cancelled."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Close the readers' connections and end their thread."""
        await self._reading.call(_disposed(self._readers))
        await asyncio.to_thread(self._reading.close)

    def _read(self, query: Callable[[sa.Connection], T]) -> T:
        with self._readers.sync_engine.connect() as connection, connection.begin():
            return query(connection)

    def _prepare(self) -> None:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            try:
                runner.run(greenlet_spawn(schema.prepare, self._writer.sync_engine))
            finally:
                runner.run(_disposed(self._writer))


class _Loop:
    """A thread that runs coroutines for others."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = _new_loop()
            self._thread = threading.Thread(
                target=self._loop.run_forever, name=self._name, daemon=True
            )
            self._thread.start()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _disposed(engine: AsyncEngine) -> None:
    """Close the connections of *engine* and let the loop see their end."""
    await engine.dispose()
    await asyncio.sleep(0.01)


def _new_loop() -> asyncio.AbstractEventLoop:
    import uvloop  # noqa: PLC0415  not on every platform; only servers come here

    return uvloop.new_event_loop()


def _engine(url: str, settings: dict[str, str], isolation: str, *, size: int) -> AsyncEngine:
    return create_async_engine(
        sa.make_url(url).set(drivername="postgresql+asyncpg"),
        isolation_level=isolation,
        # An error is logged; what it was about, such as a message's text, must not be.
        hide_parameters=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=COMMAND_S,
        connect_args={
            "server_settings": settings,
            "timeout": CONNECT_S,
            "command_timeout": COMMAND_S,
        },
    )
