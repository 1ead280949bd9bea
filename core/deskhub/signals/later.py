"""Shows what was kept for a customer, as soon as they have a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub.signals.route import Display, event_id, show
from deskhub.store import hookcursors
from deskhub.store import log as event_log
from deskhub.store import signals as rows
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.tx import Tx

# The place in the log up to which openings were looked at, kept like an instance's.
READER = "hub:kept-cards"
OPENS = frozenset({"conversation.opened", "conversation.reopened", "customer.linked"})
PAGE = 500
SAVE_EVERY = 500


class KeptForLater:
    """Follows every tenant's log; an opening that happened while the hub was down counts."""

    def __init__(self, store: Store) -> None:
        """Read and write *store*."""
        self._store = store
        self._places: dict[str, int] = {}
        self._saved: dict[str, int] = {}

    async def run(self) -> None:
        """Show kept cards until cancelled."""
        async for tenant in self._store.tail.follow_all():
            await self._catch_up(tenant)

    async def _catch_up(self, tenant: str) -> None:
        place = await self._place(tenant)
        while place < self._store.tail.head(tenant):
            events = await self._after(tenant, place)
            if not events:
                break
            for event in events:
                if event.kind in OPENS and event.conversation is not None:
                    await self._show(event, event.conversation)
            place = self._places[tenant] = events[-1].seq
            if place - self._saved[tenant] >= SAVE_EVERY:
                await self._save(tenant, place)

    async def _show(self, event: Event, conversation: str) -> None:
        await self._store.transact(event.tenant, lambda tx: _show_kept(tx, conversation, event))
        self._saved[event.tenant] = event.seq

    async def _after(self, tenant: str, place: int) -> Sequence[Event]:
        recent = self._store.tail.recent(tenant, place)
        if recent is not None:
            return recent
        return await self._store.read(lambda db: event_log.after(db, tenant, place, PAGE))

    async def _place(self, tenant: str) -> int:
        if tenant not in self._places:
            known = await self._store.read(lambda db: hookcursors.position(db, tenant, READER))
            self._places[tenant] = self._saved[tenant] = known or 0
        return self._places[tenant]

    async def _save(self, tenant: str, place: int) -> None:
        await self._store.transact(
            tenant, lambda tx: hookcursors.advance(tx.connection, tenant, READER, place)
        )
        self._saved[tenant] = place


def _show_kept(tx: Tx, conversation: str, event: Event) -> None:
    """Show what waits for the conversation's customer, and keep it no longer."""
    hookcursors.advance(tx.connection, tx.tenant, READER, event.seq)
    state = tx.conversation(conversation)
    if state is None or state.customer is None or state.state == "closed":
        return
    subject = rows.subject_of(tx.connection, tx.tenant, state.customer)
    if subject is None:
        return
    for kept in rows.claim(tx.connection, tx.tenant, subject):
        show(
            tx,
            Display(kept.card, kept.audience, kept.source),
            conversation,
            signal=(kept.kind, kept.object, kept.version),
            cid=event_id(kept.instance, kept.object, str(kept.version), conversation),
        )
