"""Follows a tenant's log and notes whose browsers may have to be told of a message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from deskhub.notify.followed import ERASED, Follower
from deskhub.store import pushes
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.tx import Tx

CURSOR = "hub:push"
# A notice is about now: what was said while no hub ran is found in the chat.
STALE = timedelta(hours=1)


class Calls:
    """Notes each message exactly once for each browser that it may concern."""

    def __init__(self, store: Store, grace_s: float, noted: Callable[[], None]) -> None:
        """Let a message wait for *grace_s*; call *noted* after some were written down."""
        self._grace = timedelta(seconds=grace_s)
        self.follow = Follower(store, CURSOR, _concerns, self._note, noted).follow

    def _note(self, tx: Tx, event: Event) -> None:
        conversation = event.conversation or ""
        if event.kind == ERASED:
            pushes.drop_of(tx, conversation)
            return
        if event.at <= tx.now - STALE:
            return
        for device in pushes.concerned(tx.connection, tx.tenant, _owner(tx, event)):
            pushes.note(tx, device, conversation, event.seq, event.at + self._grace)


def _owner(tx: Tx, event: Event) -> str | None:
    """Return whom *event* is for: the visitor, the agent who has it, or None for all agents."""
    if event.by.startswith("agent:"):
        return f"visitor:{event.visitor}"
    state = tx.conversation(event.conversation or "")
    return f"agent:{state.assignee}" if state is not None and state.assignee else None


def _concerns(event: Event) -> bool:
    if event.conversation is None:
        return False
    said = event.kind == "message.posted" and event.audience == "all"
    return event.kind == ERASED or (said and event.by.startswith(("agent:", "visitor:")))
