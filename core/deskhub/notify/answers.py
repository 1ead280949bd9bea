"""Follows a tenant's log and notes which answers may have to go out by mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from deskhub.notify.followed import ERASED, Follower
from deskhub.store import channels, mails
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.tx import Tx

CURSOR = "hub:mail"
# Somebody who answers in many messages is waited for, but not longer than this many times.
LONGEST = 5
# What was answered while no hub ran is mailed late; nobody wants it after this long.
STALE = timedelta(days=3)


class Answers:
    """Notes each answer of an agent exactly once."""

    def __init__(self, store: Store, grace_s: float, noted: Callable[[], None]) -> None:
        """Let an answer wait for *grace_s*; call *noted* after some were written down."""
        self._grace = timedelta(seconds=grace_s)
        self.follow = Follower(store, CURSOR, _concerns, self._note, noted).follow

    def _note(self, tx: Tx, event: Event) -> None:
        conversation = event.conversation or ""
        if event.kind == ERASED:
            mails.drop_of(tx, conversation)
        elif event.at > tx.now - STALE and not _leaves_otherwise(tx, event):
            mails.note_answer(
                tx, conversation, event.seq, event.at + self._grace, LONGEST * self._grace
            )


def _leaves_otherwise(tx: Tx, event: Event) -> bool:
    """Return whether the answer goes out over the channel that its reader wrote on."""
    who = event.visitor
    return who is not None and channels.of_visitor(tx.connection, tx.tenant, who) is not None


def _concerns(event: Event) -> bool:
    if event.conversation is None:
        return False
    answered = event.kind == "message.posted" and event.by.startswith("agent:")
    return event.kind == ERASED or (answered and event.audience == "all")
