"""From events to stretches: each runs from an opening or reopening to the next closing.

Pure, and the same however the log is cut into pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from deskhub.store.event import Event

# The tags by which the service levels feature says what was late.
LATE_REPLY, LATE_SOLUTION = "late-reply", "late-solution"

KINDS = frozenset(
    {
        "conversation.opened", "conversation.reopened", "conversation.assigned",
        "conversation.closed", "conversation.tagged", "conversation.rated", "message.posted",
    }
)  # fmt: skip


@dataclass(slots=True)
class Stretch:
    """One stretch; *seq* is the event that began it.

    *asked_at* is the visitor's first message in it, *answered_at* an agent's first after that.
    Agents are ids without a prefix.
    """

    conversation: str
    seq: int
    inbox: str
    opened_at: datetime
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    assignee: str | None = None
    closed_at: datetime | None = None
    closed_seq: int | None = None
    closed_by: str | None = None
    is_late_reply: bool = False
    is_late_solution: bool = False
    score: int | None = None
    rated_at: datetime | None = None
    rated_seq: int | None = None


def folded(latest: Mapping[str, Stretch], events: Sequence[Event]) -> Sequence[Stretch]:
    """Return every stretch that *events* begin or change, after them.

    *latest* has the last stretch of each of their conversations, where there is one, and is
    not changed. An event of a conversation whose opening is not in the log counts nothing.
    """
    known = {key: _copy(one) for key, one in latest.items()}
    changed: dict[tuple[str, int], Stretch] = {}
    for event in events:
        if event.kind not in KINDS or event.conversation is None:
            continue
        before = known.get(event.conversation)
        if event.kind in ("conversation.opened", "conversation.reopened"):
            after: Stretch | None = _begun(before, event)
        else:
            after = before if before is not None and _told(before, event) else None
        if after is not None:
            known[event.conversation] = after
            changed[after.conversation, after.seq] = after
    return list(changed.values())


def _begun(before: Stretch | None, event: Event) -> Stretch:
    assignee = before.assignee if before is not None else None
    return Stretch(
        event.conversation or "", event.seq, event.inbox or "", event.at, assignee=assignee
    )


def _told(one: Stretch, event: Event) -> bool:
    """Change *one* as *event* says; return whether it did."""
    if event.kind == "message.posted":
        return _said(one, event)
    if event.kind == "conversation.tagged":
        added = _data(event).get("added", ())
        one.is_late_reply = one.is_late_reply or LATE_REPLY in added
        one.is_late_solution = one.is_late_solution or LATE_SOLUTION in added
        return LATE_REPLY in added or LATE_SOLUTION in added
    if event.kind == "conversation.rated":
        one.score = int(_data(event)["score"])
        one.rated_at, one.rated_seq = event.at, event.seq
        return True
    if one.closed_at is not None:
        return False
    if event.kind == "conversation.assigned":
        one.assignee = _data(event).get("assignee")
    else:
        one.closed_at, one.closed_seq, one.closed_by = event.at, event.seq, _agent(event)
    return True


def _said(one: Stretch, event: Event) -> bool:
    if one.closed_at is not None:
        return False
    if event.by.startswith("visitor:") and one.asked_at is None:
        one.asked_at = event.at
        return True
    agent = _agent(event)
    if agent is None or one.asked_at is None or one.answered_at is not None:
        return False
    one.answered_at, one.answered_by = event.at, agent
    return True


def _agent(event: Event) -> str | None:
    kind, _, id_ = event.by.partition(":")
    return id_ if kind == "agent" else None


def _data(event: Event) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(event.data)
    return data


def _copy(one: Stretch) -> Stretch:
    return Stretch(**{name: getattr(one, name) for name in Stretch.__slots__})
