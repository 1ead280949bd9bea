"""Follows a tenant's log for one purpose; the place moves together with what is noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deskhub.store import hookcursors
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.tx import Tx

ERASED = "conversation.erased"
# A place that says nothing happened is written this seldom.
SAVE_EVERY = 500


@dataclass(frozen=True, slots=True)
class Follower:
    """Notes events in the transaction that moves the cursor: each is noted exactly once.

    *cursor* names the place in the log, which lies beside the instances' under a name that
    none of them can have. *concerns* is asked first, *note* writes down one event that
    concerns, and *noted* is called after some were.
    """

    store: Store
    cursor: str
    concerns: Callable[[Event], bool]
    note: Callable[[Tx, Event], None]
    noted: Callable[[], None]

    async def follow(self, tenant: str) -> None:
        """Note what concerns in *tenant*, from where it was left, until cancelled."""
        place = saved = await self._begin(tenant)
        async for events in self.store.tail.follow(tenant, place):
            place = events[-1].seq
            concerning = [event for event in events if self.concerns(event)]
            if concerning or place - saved >= SAVE_EVERY:
                await self._note(tenant, place, concerning)
                saved = place

    async def _begin(self, tenant: str) -> int:
        """Return the place in the log; a hub that follows for the first time begins now."""
        known = await self.store.read(lambda db: hookcursors.position(db, tenant, self.cursor))
        if known is None:
            known = self.store.tail.head(tenant)
            await self._note(tenant, known, ())
        return known

    async def _note(self, tenant: str, place: int, events: Sequence[Event]) -> None:
        def work(tx: Tx) -> None:
            told = hookcursors.position(tx.connection, tenant, self.cursor) or 0
            # A process that lost its turn unawares finds that another one was here.
            for event in (one for one in events if one.seq > told):
                self.note(tx, event)
            hookcursors.advance(tx.connection, tenant, self.cursor, place)

        await self.store.transact(tenant, work)
        if events:
            self.noted()
