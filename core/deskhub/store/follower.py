"""Keeps something that is made from the log up with it, off the messages' way to disk."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from time import monotonic

from deskhub.errors import Busy, StoreDown
from deskhub.store import log as event_log
from deskhub.store.event import Event
from deskhub.store.store import Store

log = logging.getLogger("deskhub.store")


class Follower(ABC):
    """Follows every tenant's log at a pace. One `run` for the process.

    *what* is its name in logs; *page* is how many events are taken at a time.
    """

    def __init__(
        self, store: Store, *, what: str, page: int, pace_s: float, again_s: float
    ) -> None:
        """Follow *store*'s logs; after a refusal wait *again_s* seconds."""
        self._store = store
        self._what = what
        self._page = page
        self._pace_s = pace_s
        self._again_s = again_s

    async def catch_up(self, tenant: str, *, at_ease: bool = False) -> int:
        """Come to the end of *tenant*'s log; return how far that is.

        *at_ease* leaves as much time between two pages as a page takes, so that messages,
        which may use the same writer, wait for one page at most. Raises `Busy`, `StoreDown`.
        """
        epoch, seq = await self._begin(tenant)
        while True:
            began = monotonic()
            events = await self._after(tenant, seq)
            if not events:
                return seq
            if await self._take(tenant, epoch, seq, events):
                seq = events[-1].seq
            else:
                epoch, seq = await self._begin(tenant)
            if at_ease and len(events) == self._page:
                await asyncio.sleep(monotonic() - began)

    @abstractmethod
    async def _begin(self, tenant: str) -> tuple[str, int]:
        """Return log and place up to which *tenant* is made; of another log, anew."""

    @abstractmethod
    async def _take(self, tenant: str, epoch: str, after: int, events: Sequence[Event]) -> bool:
        """Take in *events*, which follow *after*; return False when another was quicker."""

    async def run(self) -> None:
        """Follow until cancelled."""
        async for tenant in self._store.tail.follow_all():
            await self._patiently(tenant)
            await asyncio.sleep(self._pace_s)

    async def _after(self, tenant: str, seq: int) -> Sequence[Event]:
        recent = self._store.tail.recent(tenant, seq)
        if recent is not None:
            return recent[: self._page]
        return await self._store.read(lambda db: event_log.after(db, tenant, seq, self._page))

    async def _patiently(self, tenant: str) -> None:
        """Catch up, however long it cannot be written; said once each way."""
        is_down = False
        while True:
            try:
                await self.catch_up(tenant, at_ease=True)
            except (StoreDown, Busy) as error:
                if not is_down:
                    told = {"what": self._what, "tenant": tenant, "why": str(error)}
                    log.error("follower_down", extra=told)
                is_down = True
                await asyncio.sleep(self._again_s)
            else:
                if is_down:
                    log.info("follower_back", extra={"what": self._what, "tenant": tenant})
                return
