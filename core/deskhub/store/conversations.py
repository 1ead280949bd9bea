"""Conversations as their readers see them: views, lists, counts, and a page of events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from deskhub.chat.model import Conversation
from deskhub.errors import NotFound
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store.event import Event, from_row
from deskhub.store.rows import conversation_of
from deskhub.store.tables import chat as t
from deskhub.store.views import agent_views, number, visitor_view

View = Literal["mine", "queue", "team", "all", "snoozed", "closed"]

PAGE_MAX = 500
COUNT_MAX = 1_000

_C = t.conversation.c
# "Not closed" in a form that an index helps with.
_ACTIVE = ("open", "snoozed")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a longer list; *more* says that there is a next part."""

    views: Sequence[dict[str, Any]]
    more: bool


def load(connection: sa.Connection, principal: Principal, conversation: str) -> Conversation:
    """Return the conversation when *principal* may read it. Raises `NotFound`, `Forbidden`."""
    query = sa.select(t.conversation).where(
        _C.tenant == principal.tenant, _C.id == conversation
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"conversation {conversation}")
    scope = Scope(row.tenant, row.inbox, row.visitor)
    authorize(principal, Permission.CONVERSATION_READ, scope)
    return conversation_of(row)


def view_of(
    connection: sa.Connection, principal: Principal, state: Conversation
) -> dict[str, Any]:
    """Return the ConversationView of *state* for *principal*."""
    if principal.kind == "visitor":
        return visitor_view(connection, state)
    return agent_views(connection, principal, [state])[0]


def page(
    connection: sa.Connection,
    principal: Principal,
    view: View,
    *,
    search: str = "",
    before: int | None = None,
    limit: int = 50,
) -> Page:
    """Return conversations of *view*, latest message first, those before seq *before*.

    *search* is a part of a name, of the last message, or an object such as ``orders:1042``.
    """
    authorize(principal, Permission.CONVERSATION_LIST, Scope(principal.tenant))
    query = sa.select(t.conversation).where(*_in_view(principal, view))
    if search:
        like = f"%{_escaped(search)}%"
        query = query.where(
            _C.name.ilike(like, escape="\\")
            | _C.last_text.ilike(like, escape="\\")
            | _C.id.in_(
                sa.select(t.conversation_object.c.conversation).where(
                    t.conversation_object.c.tenant == principal.tenant,
                    t.conversation_object.c.object.ilike(like, escape="\\"),
                )
            )
        )
    if before is not None:
        query = query.where(_C.last_seq < before)
    limit = max(1, min(limit, PAGE_MAX))
    rows = connection.execute(query.order_by(_C.last_seq.desc()).limit(limit + 1)).all()
    states = [conversation_of(row) for row in rows[:limit]]
    return Page(agent_views(connection, principal, states), len(rows) > limit)


def active(connection: sa.Connection, principal: Principal) -> Sequence[dict[str, Any]]:
    """Return what an agent's inbox starts with: open and snoozed, newest first, at most 500."""
    query = (
        sa.select(t.conversation)
        .where(*_visible(principal), _C.state.in_(_ACTIVE))
        .order_by(_C.last_seq.desc())
        .limit(PAGE_MAX)
    )
    states = [conversation_of(row) for row in connection.execute(query)]
    return agent_views(connection, principal, states)


def counts(connection: sa.Connection, principal: Principal) -> dict[str, int]:
    """Return how many conversations each view has, at most 1,000, and my unread ones."""
    found = {
        name: _count(connection, _in_view(principal, name))
        for name in ("mine", "queue", "team", "snoozed", "closed")
    }
    seen = t.mark.c
    unread = (
        sa.select(sa.literal(1))
        .select_from(
            t.conversation.outerjoin(
                t.mark,
                sa.and_(
                    seen.tenant == _C.tenant,
                    seen.conversation == _C.id,
                    seen.agent == principal.id,
                ),
            )
        )
        .where(
            *_in_view(principal, "mine"),
            _C.visitor_messages > sa.func.coalesce(seen.seen, 0),
        )
        .limit(COUNT_MAX)
    )
    return found | {"unread": number(connection, unread)}


def events_before(
    connection: sa.Connection,
    principal: Principal,
    conversation: str,
    *,
    before: int | None = None,
    limit: int = 100,
) -> tuple[list[Event], bool]:
    """Return the newest events before seq *before*, oldest first, and whether older exist.

    Call `load` first: this does not ask whether the caller may read the conversation; it
    only leaves out what is for agents when the caller is none.
    """
    query = sa.select(t.event).where(
        t.event.c.tenant == principal.tenant, t.event.c.conversation == conversation
    )
    if principal.kind == "visitor":
        query = query.where(t.event.c.audience == "all")
    if before is not None:
        query = query.where(t.event.c.seq < before)
    limit = max(1, min(limit, PAGE_MAX))
    rows = connection.execute(query.order_by(t.event.c.seq.desc()).limit(limit + 1)).all()
    return [from_row(row) for row in reversed(rows[:limit])], len(rows) > limit


def current_of_visitor(connection: sa.Connection, principal: Principal) -> Conversation | None:
    """Return the visitor's conversation: the one that is not closed, else the latest."""
    query = (
        sa.select(t.conversation)
        .where(_C.tenant == principal.tenant, _C.visitor == principal.id)
        .order_by((_C.state == "closed"), _C.last_seq.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return conversation_of(row) if row else None


def waiting(connection: sa.Connection, tenant: str, inbox: str) -> Sequence[str]:
    """Return the open conversations of *inbox* that nobody has, longest waiting first."""
    query = (
        sa.select(_C.id)
        .where(
            _C.tenant == tenant, _C.inbox == inbox, _C.state == "open", _C.assignee.is_(None)
        )
        .order_by(sa.func.coalesce(_C.waiting_since, _C.opened_at), _C.id)
        .limit(PAGE_MAX)
    )
    return connection.execute(query).scalars().all()


def loads(connection: sa.Connection, tenant: str) -> Mapping[str, tuple[int, datetime | None]]:
    """Return each agent's open conversations and when the latest of them last changed."""
    query = (
        sa.select(
            _C.assignee,
            sa.func.sum(sa.case((_C.state == "open", 1), else_=0)),
            sa.func.max(_C.last_at),
        )
        .where(_C.tenant == tenant, _C.assignee.is_not(None), _C.state.in_(_ACTIVE))
        .group_by(_C.assignee)
    )
    return {agent: (load, last) for agent, load, last in connection.execute(query)}


def of_customer(
    connection: sa.Connection, principal: Principal, customer: str
) -> Sequence[dict[str, Any]]:
    """Return the customer's conversations that *principal* may see, newest first."""
    query = (
        sa.select(t.conversation)
        .where(*_visible(principal), _C.customer == customer)
        .order_by(_C.last_seq.desc())
        .limit(50)
    )
    states = [conversation_of(row) for row in connection.execute(query)]
    return agent_views(connection, principal, states)


def concerned(
    connection: sa.Connection,
    tenant: str,
    *,
    objects: Collection[str] = (),
    customers: Collection[str] = (),
) -> Sequence[str]:
    """Return the conversations, not closed, about any of *objects* or of *customers*."""
    query = sa.select(_C.id).where(
        _C.tenant == tenant,
        _C.state.in_(_ACTIVE),
        _C.customer.in_(list(customers))
        | _C.id.in_(
            sa.select(t.conversation_object.c.conversation).where(
                t.conversation_object.c.tenant == tenant,
                t.conversation_object.c.object.in_(list(objects)),
            )
        ),
    )
    return connection.execute(query.order_by(_C.id).limit(1_000)).scalars().all()


def due(connection: sa.Connection, now: datetime) -> Sequence[tuple[str, str, datetime]]:
    """Return (tenant, conversation, until) of snoozed conversations whose time has come."""
    query = (
        sa.select(_C.tenant, _C.id, _C.snoozed_until)
        .where(_C.snoozed_until <= now, _C.state == "snoozed")
        .limit(200)
    )
    return [(row.tenant, row.id, row.snoozed_until) for row in connection.execute(query)]


def _visible(principal: Principal) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = [_C.tenant == principal.tenant]
    if principal.inboxes is not None:
        where.append(_C.inbox.in_(sorted(principal.inboxes)))
    return where


def _in_view(principal: Principal, view: View) -> list[sa.ColumnElement[bool]]:
    where = _visible(principal)
    match view:
        case "mine":
            where += [_C.state == "open", _C.assignee == principal.id]
        case "queue":
            where += [_C.state == "open", _C.assignee.is_(None)]
        case "team":
            where += [_C.state == "open"]
        case "snoozed" | "closed":
            where += [_C.state == view]
        case "all":
            pass
    return where


def _count(connection: sa.Connection, where: list[sa.ColumnElement[bool]]) -> int:
    return number(connection, sa.select(sa.literal(1)).where(*where).limit(COUNT_MAX))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
