"""Follows a tenant's log and notes which answers may have to go out by mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from deskhub.store import hookcursors, mails
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.tx import Tx

# Its place in the log lies beside the instances', under a name that none of them can have.
CURSOR = "hub:mail"
ERASED = "conversation.erased"
# Somebody who answers in many messages is waited for, but not longer than this many times.
LONGEST = 5
# What was answered while no hub ran is mailed late; nobody wants it after this long.
STALE = timedelta(days=3)
# A place that says nothing happened is written this seldom.
SAVE_EVERY = 500


class Answers:
    """Notes answers in the transaction that moves the cursor: each is noted exactly once."""

    def __init__(self, store: Store, grace_s: float, noted: Callable[[], None]) -> None:
        """Let an answer wait for *grace_s*; call *noted* after some were written down."""
        self._store = store
        self._grace = timedelta(seconds=grace_s)
        self._noted = noted

    async def follow(self, tenant: str) -> None:
        """Note what agents of *tenant* answer, from where it was left, until cancelled."""
        place = saved = await self._begin(tenant)
        async for events in self._store.tail.follow(tenant, place):
            place = events[-1].seq
            concerning = [event for event in events if _concerns(event)]
            if concerning or place - saved >= SAVE_EVERY:
                await self._note(tenant, place, concerning)
                saved = place

    async def _begin(self, tenant: str) -> int:
        """Return the place in the log; a hub that mails for the first time begins now."""
        known = await self._store.read(lambda db: hookcursors.position(db, tenant, CURSOR))
        if known is None:
            known = self._store.tail.head(tenant)
            await self._note(tenant, known, ())
        return known

    async def _note(self, tenant: str, place: int, events: Sequence[Event]) -> None:
        def work(tx: Tx) -> None:
            told = hookcursors.position(tx.connection, tenant, CURSOR) or 0
            # A process that lost its turn unawares finds that another one was here.
            for event in (one for one in events if one.seq > told):
                conversation = event.conversation or ""
                if event.kind == ERASED:
                    mails.drop_of(tx, conversation)
                elif event.at > tx.now - STALE:
                    mails.note_answer(
                        tx, conversation, event.seq, event.at + self._grace,
                        LONGEST * self._grace,
                    )  # fmt: skip
            hookcursors.advance(tx.connection, tenant, CURSOR, place)

        await self._store.transact(tenant, work)
        if events:
            self._noted()


def _concerns(event: Event) -> bool:
    if event.conversation is None:
        return False
    answered = event.kind == "message.posted" and event.by.startswith("agent:")
    return event.kind == ERASED or (answered and event.audience == "all")
