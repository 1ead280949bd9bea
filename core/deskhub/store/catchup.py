"""Learning what other processes wrote: when they say so, when a gap shows, every second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import sqlalchemy as sa

from deskhub.errors import StoreDown
from deskhub.store import log as event_log
from deskhub.store.event import Event
from deskhub.store.sabotage import sabotaged
from deskhub.store.tail import PAGE, Tail

log = logging.getLogger("deskhub.store")

T = TypeVar("T")

# How late this process may learn what another one wrote when no wake-up arrives.
COMPARE_S = 1.0


class Read(Protocol):
    """`Store.read`."""

    def __call__(self, query: Callable[[sa.Connection], T]) -> Awaitable[T]:
        """Return what *query* finds."""
        ...


class CatchUp:
    """Keeps the tail without gaps, whoever wrote the log."""

    def __init__(self, read: Read, tail: Tail) -> None:
        """Fill *tail* with what *read* finds."""
        self._read = read
        self._tail = tail
        self._behind: set[str] = set()
        self._look = asyncio.Event()

    def committed(
        self, events: Mapping[str, Sequence[Event]], logs: Mapping[str, tuple[str, int]]
    ) -> None:
        """Take what this process committed; what others wrote before it is read first.

        Otherwise every reader would have to fetch the missing part from the database.
        """
        for tenant, log_of in logs.items():
            new = events.get(tenant, ())
            known = self._tail.epoch(tenant) == log_of[0]
            if known and new and new[0].seq > self._tail.head(tenant) + 1:
                self._say_behind(tenant)
            else:
                self._tail.extend({tenant: new}, {tenant: log_of})

    def hint(self, tenant: str, head: int) -> None:
        """Take note that *tenant*'s log reached *head* elsewhere."""
        if head > self._tail.head(tenant):
            self._say_behind(tenant)

    async def run(self) -> None:
        """Read what is missing as soon as it is known, until cancelled."""
        loop = asyncio.get_running_loop()
        compared_at = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(compared_at + COMPARE_S):
                    await self._look.wait()
            try:
                if loop.time() >= compared_at + COMPARE_S:
                    compared_at = loop.time()
                    if not sabotaged("no_catch_up"):
                        await self.compare()
                self._look.clear()
                while self._behind:
                    await self.of(self._behind.pop())
            except StoreDown:
                log.debug("compare_skipped")

    async def compare(self) -> None:
        """Compare every log with its tail and read what is missing."""
        for tenant, epoch, head in await self._read(event_log.heads):
            known = self._tail.epoch(tenant)
            if known != epoch:
                # A log that is new to this process was begun elsewhere a moment ago: whoever
                # waits for it here is told from its beginning.
                self._tail.start(tenant, epoch, head if known else max(0, head - PAGE))
            if self._tail.head(tenant) < head:
                await self.of(tenant)

    async def of(self, tenant: str) -> None:
        """Read what is missing of one tenant's log."""
        epoch = self._tail.epoch(tenant)
        if not epoch:
            await self.compare()
            return
        more = True
        while more:
            after = self._tail.head(tenant)
            found = await self._read(
                lambda db, after=after: event_log.after(db, tenant, after, PAGE)  # type: ignore[misc]  # a default keeps the loop's value
            )
            more = len(found) == PAGE
            if found:
                self._tail.extend({tenant: found}, {tenant: (epoch, found[-1].seq)})

    def _say_behind(self, tenant: str) -> None:
        self._behind.add(tenant)
        self._look.set()
