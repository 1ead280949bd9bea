"""The database of one process: a writer, readers, and the tail of the log between them."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import sqlalchemy as sa

from deskhub.chat.commands import ChatCommand
from deskhub.chat.model import Receipt
from deskhub.clock import Clock
from deskhub.identity.model import Principal
from deskhub.store import log as event_log
from deskhub.store.batch import Asked
from deskhub.store.catchup import CatchUp
from deskhub.store.database import Database
from deskhub.store.embedded import Embedded
from deskhub.store.engine import path_of
from deskhub.store.event import Event
from deskhub.store.failpoints import reach
from deskhub.store.hold import Hold
from deskhub.store.sabotage import active
from deskhub.store.tail import Tail
from deskhub.store.tx import Tx
from deskhub.store.writer import Writer, WriterFigures

log = logging.getLogger("deskhub.store")

T = TypeVar("T")


class Store:
    """Everything durable. One object per process; `run` must run before anything is written."""

    def __init__(self, database: Database, clock: Clock, hold: Hold) -> None:
        """Use `open` instead."""
        self._database = database
        self._hold = hold
        self.tail = Tail(self._fetch)
        self._catch_up = CatchUp(self.read, self.tail)
        self._writer = Writer(database, clock, self._committed)
        self._published: list[Callable[[str, int], None]] = []

    @classmethod
    async def open(cls, url: str, clock: Clock) -> Store:
        """Return the store at *url*, with its tables at this version.

        ``sqlite:///path`` or ``postgresql://user@host/name``. Raises `SchemaTooNew` for a
        database that a newer Deskhub has written to, `InUse` or `RestoreUnfinished` for one
        that is being replaced, `FileRefused` for a file that cannot be used, `StoreDown` when
        the server does not answer and `DriverMissing` when it cannot be spoken to.
        """
        # A thread that waits for the interpreter gets it within half a millisecond: the writer
        # and the loop would otherwise wait 5 ms for each other.
        sys.setswitchinterval(0.0005)
        on_server = url.startswith("postgresql")
        hold = Hold(None if on_server else path_of(url))
        try:
            database = _database(url)
            reach("start.opening")
            await database.prepare()
            reach("start.migrated")
        except BaseException:
            hold.release()
            raise
        store = cls(database, clock, hold)
        for tenant, epoch, head in await store.read(event_log.heads):
            store.tail.start(tenant, epoch, head)
        reach("start.loaded")
        if active():
            log.warning("sabotage_active", extra={"faults": sorted(active())})
        return store

    @property
    def is_shared(self) -> bool:
        """Return whether other processes may write to this database too."""
        return self._database.is_shared

    async def run(self) -> None:
        """Write, keep the database in order and compare with the log until cancelled."""
        async with asyncio.TaskGroup() as group:
            chores = group.create_task(self._database.run(), name="database")
            compare = group.create_task(self._catch_up.run(), name="compare")
            try:
                await self._writer.run()
            finally:
                chores.cancel()
                compare.cancel()

    async def close(self) -> None:
        """Close every connection; call it after `run` has ended."""
        await self._database.close()
        self._hold.release()

    def submit(
        self, principal: Principal, command: ChatCommand, cid: str
    ) -> asyncio.Future[Receipt]:
        """Queue a chat command; see `deskhub.chat.service.Chat`."""
        return self._writer.submit(principal.tenant, Asked(principal, command, cid))

    async def transact(self, tenant: str, work: Callable[[Tx], T]) -> T:
        """Run *work* on the writer's thread inside the next group commit; return its result.

        It returns after the durable commit. Whatever *work* raises undoes only *work*, and is
        raised here. Raises `Busy` when 5,000 things wait and `StoreDown` when the disk refuses.
        """
        result: T = await self._writer.submit(tenant, work)
        return result

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run *query* in one consistent transaction, off this loop. Raises `StoreDown`."""
        return await self._database.read(query)

    def on_commit(self, publish: Callable[[str, int], None]) -> Callable[[], None]:
        """Call *publish* with (tenant, head) after each commit; returns what ends it."""
        self._published.append(publish)
        return lambda: self._published.remove(publish)

    def hint(self, tenant: str, head: int) -> None:
        """Take note that another process says that *tenant*'s log reached *head*."""
        self._catch_up.hint(tenant, head)

    @property
    def figures(self) -> WriterFigures:
        """Return what the writer did."""
        return self._writer.figures

    @property
    def queue_depth(self) -> int:
        """Return how many commands wait for their commit."""
        return self._writer.depth

    async def scrub(self) -> bool:
        """Let no file hold what was overwritten; return whether it is so, or try later."""
        return await self._database.scrub()

    async def check_writable(self, tenant: str) -> None:
        """Write to *tenant*'s log without changing it. Raises `Busy` and `StoreDown`."""
        await self.transact(tenant, lambda tx: event_log.touch(tx.connection, tenant))

    async def ensure(self, tenant: str) -> None:
        """Give *tenant* a log when it has none, so that it has an epoch to resume in."""
        if not self.tail.epoch(tenant):
            await self.transact(tenant, lambda _tx: None)

    async def catch_up(self, tenant: str | None = None) -> None:
        """Read what other processes wrote since the last look: to one log, or to every."""
        await (self._catch_up.of(tenant) if tenant else self._catch_up.compare())

    async def _fetch(self, tenant: str, after: int, limit: int) -> Sequence[Event]:
        return await self.read(
            lambda connection: event_log.after(connection, tenant, after, limit)
        )

    def _committed(
        self, events: Mapping[str, Sequence[Event]], logs: Mapping[str, tuple[str, int]]
    ) -> None:
        self._catch_up.committed(events, logs)
        for tenant, new in events.items():
            if not new:
                continue
            for publish in self._published:
                publish(tenant, new[-1].seq)


def _database(url: str) -> Database:
    if not url.startswith("postgresql"):
        return Embedded(url)
    # Its half of SQLAlchemy takes a tenth of a start, and most installations have a file.
    from deskhub.store.postgres import Postgres  # noqa: PLC0415

    return Postgres(url)
