"""ConversationView: one conversation as an agent or its visitor sees it, as plain data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from deskhub.chat.model import Conversation
from deskhub.clock import rfc3339
from deskhub.identity.model import Principal
from deskhub.store import edits, ratings
from deskhub.store.tables import chat as t

# A badge says "99+": counting further is work for nothing.
UNREAD_MAX = 100


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment is not None else None


def agent_views(
    connection: sa.Connection, principal: Principal, states: Sequence[Conversation]
) -> list[dict[str, Any]]:
    """Return the views of *states* in their order; four statements, however many."""
    if not states:
        return []
    tenant = principal.tenant
    customers = _customers(connection, tenant, {s.customer for s in states if s.customer})
    marks = _marks(connection, principal, [state.id for state in states])
    rated = ratings.of_conversations(connection, tenant, [state.id for state in states])
    return [
        _common(state)
        | {
            "visitor": state.visitor,
            "customer": customers.get(state.customer or ""),
            "assignee": (
                {"id": state.assignee, "name": state.assignee_name or ""}
                if state.assignee
                else None
            ),
            "tags": list(state.tags),
            "last": _last(state),
            "waiting_since": _time(state.waiting_since),
            "snoozed_until": _time(state.snoozed_until),
            "unread": state.visitor_messages - marks.get(state.id, (0, 0))[1],
            "read_seq": marks.get(state.id, (0, 0))[0],
            "summary": state.summary,
            "rating": rated.get(state.id),
        }
        for state in states
    ]


def visitor_view(connection: sa.Connection, state: Conversation) -> dict[str, Any]:
    """Return what the visitor may know: no tags, no waiting, nothing of notes."""
    event = t.event.c
    said = sa.select(event.seq, event.at, event.by, event.data).where(
        event.tenant == state.tenant,
        event.conversation == state.id,
        event.kind == "message.posted",
    )
    last = _last(state)
    if state.last_kind == "note":
        row = connection.execute(said.order_by(event.seq.desc()).limit(1)).first()
        last = _last_of_row(connection, state.tenant, row) if row else None
    unread = (
        said.with_only_columns(sa.literal(1))
        .where(event.seq > state.visitor_read_seq, event.by != f"visitor:{state.visitor}")
        .limit(UNREAD_MAX)
    )
    name = state.assignee_name
    return _common(state) | {
        "state": "closed" if state.state == "closed" else "open",
        "customer": {"name": state.name} if state.customer else None,
        "assignee": {"name": name or ""} if state.assignee else None,
        "last": last,
        "last_at": last["at"] if last else rfc3339(state.opened_at),
        "links": [],
        "tags": [],
        "waiting_since": None,
        "snoozed_until": None,
        "unread": number(connection, unread),
        "read_seq": state.visitor_read_seq,
        "summary": "",
        "unrated": ratings.unrated(connection, state),
    }


def _common(state: Conversation) -> dict[str, Any]:
    return {
        "id": state.id,
        "inbox": state.inbox,
        "state": state.state,
        "name": state.name,
        "language": state.language,
        "links": list(state.links),
        "opened_at": rfc3339(state.opened_at),
        "last_at": rfc3339(state.last_at),
        "visitor_read_seq": state.visitor_read_seq,
        "agent_read_seq": state.agent_read_seq,
        "head": state.head,
    }


def _last(state: Conversation) -> dict[str, Any] | None:
    if not state.last_seq:
        return None
    return {
        "seq": state.last_seq,
        "by": state.last_by,
        "text": state.last_text,
        "kind": state.last_kind,
        "at": rfc3339(state.last_at),
    }


def _last_of_row(
    connection: sa.Connection, tenant: str, row: sa.Row[Any, Any, Any, Any]
) -> dict[str, Any]:
    text = str(edits.standing(connection, tenant, row.seq, orjson.loads(row.data))["text"])
    return {"seq": row.seq, "by": row.by, "text": text, "kind": "text", "at": rfc3339(row.at)}


def _customers(
    connection: sa.Connection, tenant: str, ids: Collection[str]
) -> Mapping[str, dict[str, Any]]:
    if not ids:
        return {}
    query = sa.select(t.customer).where(
        t.customer.c.tenant == tenant, t.customer.c.id.in_(list(ids))
    )
    return {row.id: customer_view(row) for row in connection.execute(query)}


def customer_view(row: sa.Row[Any]) -> dict[str, Any]:
    """Return the Customer of a row of the whole customer table."""
    return {
        "id": row.id,
        "name": row.name or "",
        "email": row.email,
        "phone": row.phone,
        "language": row.language,
        "tags": list(row.tags),
    }


def _marks(
    connection: sa.Connection, principal: Principal, ids: Sequence[str]
) -> Mapping[str, tuple[int, int]]:
    if principal.kind != "agent":
        return {}
    query = sa.select(t.mark.c.conversation, t.mark.c.seq, t.mark.c.seen).where(
        t.mark.c.tenant == principal.tenant,
        t.mark.c.agent == principal.id,
        t.mark.c.conversation.in_(list(ids)),
    )
    return {row.conversation: (row.seq, row.seen) for row in connection.execute(query)}


def number(connection: sa.Connection, rows: sa.Select[Any]) -> int:
    """Return how many rows *rows* has."""
    counted = sa.select(sa.func.count()).select_from(rows.subquery())
    return int(connection.execute(counted).scalar_one())
