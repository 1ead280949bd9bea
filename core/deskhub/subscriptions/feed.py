"""Follows a tenant's log and notes who is to be told of what, each exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from deskhub.store import deliveries, hookcursors, subscriptions
from deskhub.store.event import Event
from deskhub.store.sabotage import sabotaged
from deskhub.store.store import Store
from deskhub.store.subscriptions import SubscriptionRow
from deskhub.store.tx import Tx
from deskhub.subscriptions.message import KINDS

# Its place in the log lies beside the instances', under a name that none of them can have.
CURSOR = "hub:subscriptions"
# A place that says nothing happened is written this seldom.
SAVE_EVERY = 500
# Under load that is one look at the subscriptions for hundreds of events.
PAUSE_S = 0.1
# An address that takes nothing fills no disk: it is switched off, and says so.
WAITING_MAX = 100_000

log = logging.getLogger(__name__)


class Feed:
    """Notes deliveries in the transaction that moves the cursor."""

    def __init__(
        self, store: Store, noted: Callable[[], None], *, waiting_max: int = WAITING_MAX
    ) -> None:
        """Read *store*'s log; call *noted* after deliveries were written down."""
        self._store = store
        self._noted = noted
        self._waiting_max = waiting_max

    async def follow(self, tenant: str) -> None:
        """Note what happens in *tenant*, from where it was left, until cancelled."""
        place = saved = await self._begin(tenant)
        async for events in self._store.tail.follow(tenant, place):
            place = events[-1].seq
            told = [event for event in events if event.kind in KINDS]
            wanted = bool(told) and await self._is_wanted(tenant, told)
            if wanted or place - saved >= SAVE_EVERY:
                await self._note(tenant, place, told)
                saved = place
            await asyncio.sleep(PAUSE_S)

    async def _begin(self, tenant: str) -> int:
        """Return the place in the log; a hub that does this for the first time begins now."""
        known = await self._store.read(lambda db: hookcursors.position(db, tenant, CURSOR))
        if known is None:
            known = self._store.tail.head(tenant)
            await self._note(tenant, known, ())
        return known

    async def _is_wanted(self, tenant: str, events: Sequence[Event]) -> bool:
        """Return whether anybody is told of one of *events*; nobody is what is usual."""
        rows = await self._store.read(lambda db: subscriptions.active(db, tenant))
        return any(row.wants(event.kind, event.seq) for row in rows for event in events)

    async def _note(self, tenant: str, place: int, events: Sequence[Event]) -> None:
        def work(tx: Tx) -> int:
            told = hookcursors.position(tx.connection, tenant, CURSOR) or 0
            # A process that lost its turn unawares finds that another one was here.
            fresh = [event for event in events if event.seq > told]
            count = 0
            for row in subscriptions.active(tx.connection, tenant) if fresh else ():
                own = [event for event in fresh if row.wants(event.kind, event.seq)]
                if own and self._is_full(tx, row):
                    continue
                for event in own:
                    deliveries.add(tx, row.id, event.kind, event.seq, event.conversation)
                count += len(own)
            if not sabotaged("told_twice"):
                hookcursors.advance(tx.connection, tenant, CURSOR, place)
            return count

        if await self._store.transact(tenant, work):
            self._noted()

    def _is_full(self, tx: Tx, row: SubscriptionRow) -> bool:
        """Return whether too much waits for *row*, which is then switched off."""
        if row.failing_since is None:
            return False
        if deliveries.waiting(tx.connection, tx.tenant, row.id) < self._waiting_max:
            return False
        subscriptions.change(tx, row.id, state="disabled", why="full")
        log.error("subscription_full", extra={"subscription": row.id})
        return True
