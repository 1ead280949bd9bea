"""How visitors found it: the latest rating of a conversation, and what waits for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from deskhub.chat.model import Closing, Conversation
from deskhub.clock import rfc3339
from deskhub.store import inboxes
from deskhub.store.event import Event
from deskhub.store.tables import chat as t
from deskhub.store.tables.reports import rating
from deskhub.store.upsert import Upsert

_R = rating.c
_KEEP = Upsert(rating)


def closing_of(connection: sa.Connection, tenant: str, conversation: str) -> Closing | None:
    """Return the conversation's latest closing; None when it was never closed."""
    event = t.event.c
    query = (
        sa.select(event.seq, event.at)
        .where(
            event.tenant == tenant,
            event.conversation == conversation,
            event.kind == "conversation.closed",
        )
        .order_by(event.seq.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    later = sa.select(_R.seq).where(
        _R.tenant == tenant, _R.conversation == conversation, _R.seq > row.seq
    )
    is_rated = connection.execute(later).first() is not None
    return Closing(row.seq, row.at, is_rated=is_rated)


def unrated(connection: sa.Connection, state: Conversation) -> int | None:
    """Return the seq of the closing that the visitor may still rate, or None."""
    if state.state != "closed":
        return None
    if not inboxes.asks_rating(connection, state.tenant, state.inbox):
        return None
    closing = closing_of(connection, state.tenant, state.id)
    return None if closing is None or closing.is_rated else closing.seq


def keep(connection: sa.Connection, event: Event, score: int) -> None:
    """Take the rating in *event* as its conversation's latest."""
    row = {
        "tenant": event.tenant, "conversation": event.conversation, "seq": event.seq,
        "at": event.at, "score": score,
    }  # fmt: skip
    connection.execute(_KEEP.on(connection.dialect), row)


def of_conversations(
    connection: sa.Connection, tenant: str, conversations: Sequence[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Return the latest rating by conversation, as ``{"score", "at"}``."""
    query = sa.select(rating).where(_R.tenant == tenant, _R.conversation.in_(conversations))
    return {
        row.conversation: {"score": row.score, "at": rfc3339(row.at)}
        for row in connection.execute(query)
    }
