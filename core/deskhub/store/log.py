"""Reading the log: ranges of events, for one reader or for all."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from deskhub.store.event import Event, from_row
from deskhub.store.tables.chat import conversation, event, tenant


def heads(connection: sa.Connection) -> Sequence[tuple[str, str, int]]:
    """Return (tenant, epoch, head) of every log."""
    rows = connection.execute(sa.select(tenant.c.tenant, tenant.c.epoch, tenant.c.head))
    return [(row.tenant, row.epoch, row.head) for row in rows]


def touch(connection: sa.Connection, of: str) -> None:
    """Write the tenant's counter as it is: whether that can be committed is the question."""
    connection.execute(
        sa.update(tenant).where(tenant.c.tenant == of).values(head=tenant.c.head)
    )


def position(connection: sa.Connection, of: str) -> tuple[str, int]:
    """Return (epoch, head) of a tenant's log as this transaction sees it."""
    query = sa.select(tenant.c.epoch, tenant.c.head).where(tenant.c.tenant == of)
    row = connection.execute(query).first()
    return (row.epoch, row.head) if row else ("", 0)


def after(connection: sa.Connection, of: str, seq: int, limit: int) -> Sequence[Event]:
    """Return the tenant's events after *seq*, oldest first, at most *limit*."""
    query = (
        sa.select(event)
        .where(event.c.tenant == of, event.c.seq > seq)
        .order_by(event.c.seq)
        .limit(limit)
    )
    return [from_row(row) for row in connection.execute(query)]


def visible_after(
    connection: sa.Connection,
    of: str,
    seq: int,
    limit: int,
    *,
    visitor: str | None = None,
    inboxes: frozenset[str] | None = None,
) -> Sequence[Event]:
    """Return the tenant's events after *seq* that can concern a reader, oldest first.

    With *visitor*, only those of its own conversations and for all; with *inboxes*, only
    those of these inboxes or of none. It narrows; whether a reader may see an event is
    decided by the policy, on each event.
    """
    if visitor is not None:
        return _visible_to(connection, of, visitor, seq, limit)
    query = sa.select(event).where(event.c.tenant == of, event.c.seq > seq)
    if inboxes is not None:
        query = query.where(event.c.inbox.is_(None) | event.c.inbox.in_(sorted(inboxes)))
    rows = connection.execute(query.order_by(event.c.seq).limit(limit))
    return [from_row(row) for row in rows]


def _visible_to(
    connection: sa.Connection, of: str, visitor: str, seq: int, limit: int
) -> Sequence[Event]:
    """Return the visitor's events by one look into each conversation that has newer ones.

    A visitor has few conversations. One statement for all of them would let the database
    choose to read the whole log after *seq* instead.
    """
    own = sa.select(conversation.c.id).where(
        conversation.c.tenant == of,
        conversation.c.visitor == visitor,
        conversation.c.head > seq,
    )
    found: list[Event] = []
    for one in connection.execute(own).scalars().all():
        query = sa.select(event).where(
            event.c.tenant == of,
            event.c.conversation == one,
            event.c.seq > seq,
            event.c.audience == "all",
        )
        rows = connection.execute(query.order_by(event.c.seq).limit(limit))
        found += [from_row(row) for row in rows]
    return sorted(found, key=lambda one: one.seq)[:limit]


def scopes(
    connection: sa.Connection, of: str, ids: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Return (inbox, visitor) of the conversations among *ids* that exist."""
    c = conversation.c
    query = sa.select(c.id, c.inbox, c.visitor).where(c.tenant == of, c.id.in_(list(ids)))
    return {row.id: (row.inbox, row.visitor) for row in connection.execute(query)}
