"""The statements of the hot path: what a group commit reads and writes, in bulk."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from deskhub.chat.model import Conversation, Mark
from deskhub.ids import new_id
from deskhub.store.event import Event, from_row
from deskhub.store.metadata import to_micros
from deskhub.store.prepared import Prepared
from deskhub.store.tables import chat as t
from deskhub.store.upsert import Upsert

_CONVERSATION_FIELDS = [field.name for field in dataclasses.fields(Conversation)]

_LOCK = Prepared(
    sa.select(t.tenant.c.epoch, t.tenant.c.head)
    .where(t.tenant.c.tenant == sa.bindparam("of"))
    .with_for_update(),
    ["of"],
)
_SET_HEAD = Prepared(
    sa.update(t.tenant)
    .where(t.tenant.c.tenant == sa.bindparam("of"))
    .values(head=sa.bindparam("head")),
    ["head", "of"],
)
_BY_CID = sa.select(t.event).where(
    t.event.c.tenant == sa.bindparam("tenant"),
    t.event.c.by == sa.bindparam("by"),
    t.event.c.cid == sa.bindparam("cid"),
)
_CONVERSATIONS = sa.select(t.conversation).where(
    t.conversation.c.tenant == sa.bindparam("tenant"),
    t.conversation.c.id.in_(sa.bindparam("ids", expanding=True)),
)
_OPEN_OF = (
    sa.select(t.conversation)
    .where(
        t.conversation.c.tenant == sa.bindparam("tenant"),
        t.conversation.c.visitor == sa.bindparam("visitor"),
        t.conversation.c.state != "closed",
    )
    .order_by(t.conversation.c.last_seq.desc())
    .limit(1)
)
_CUSTOMER_OF = (
    sa.select(t.customer.c.id, t.customer.c.name)
    .join(
        t.customer_visitor,
        sa.and_(
            t.customer_visitor.c.tenant == t.customer.c.tenant,
            t.customer_visitor.c.customer == t.customer.c.id,
        ),
    )
    .where(
        t.customer_visitor.c.tenant == sa.bindparam("tenant"),
        t.customer_visitor.c.visitor == sa.bindparam("visitor"),
    )
)
_MARK_OF = sa.select(t.mark.c.seq, t.mark.c.seen).where(
    t.mark.c.tenant == sa.bindparam("tenant"),
    t.mark.c.agent == sa.bindparam("agent"),
    t.mark.c.conversation == sa.bindparam("conversation"),
)
_AFTER = (
    sa.select(sa.func.count())
    .select_from(t.event)
    .where(
        t.event.c.tenant == sa.bindparam("tenant"),
        t.event.c.conversation == sa.bindparam("conversation"),
        t.event.c.seq > sa.bindparam("seq"),
        t.event.c.kind == "message.posted",
        t.event.c.by.like("visitor:%"),
    )
)
_INSERT_EVENTS = Prepared(sa.insert(t.event), [column.name for column in t.event.columns])
_AS_STORED: dict[str, Callable[[Any], Any]] = {
    "opened_at": to_micros,
    "last_at": to_micros,
    "waiting_since": to_micros,
    "snoozed_until": to_micros,
    "tags": lambda value: json.dumps(value) if value else "[]",
    "links": lambda value: json.dumps(value) if value else "[]",
}
_CONVERSATION_VALUES = attrgetter(*_CONVERSATION_FIELDS)
_CONVERTED = [(_CONVERSATION_FIELDS.index(name), how) for name, how in _AS_STORED.items()]


# A summary changes without an event, so that another process may know an older one.
_UPSERT_CONVERSATIONS = Prepared(Upsert(t.conversation, keep=["summary"]), _CONVERSATION_FIELDS)
_UPSERT_MARKS = Upsert(t.mark)
_INSERT_OBJECTS = Upsert(t.conversation_object, ignore=True)
_INSERT_TENANT = Upsert(t.tenant, ignore=True)


def lock_counter(connection: sa.Connection, tenant: str) -> tuple[str, int]:
    """Return (epoch, head) of *tenant*, locked until the commit; created when it is new."""
    row = _LOCK.one(connection, (tenant,))
    if row is None:
        fresh = {"tenant": tenant, "epoch": new_id("e")[-12:], "head": 0}
        connection.execute(_INSERT_TENANT.on(connection.dialect), fresh)
        row = _LOCK.one(connection, (tenant,))
        assert row is not None  # noqa: S101  inserted here, or by whoever was quicker
    epoch, head = row
    return epoch, head


def set_counter(connection: sa.Connection, tenant: str, head: int) -> None:
    """Write the tenant's new last seq."""
    _SET_HEAD.one(connection, (head, tenant))


def event_of_cid(connection: sa.Connection, tenant: str, by: str, cid: str) -> Event | None:
    """Return the event that (by, cid) made earlier."""
    row = connection.execute(_BY_CID, {"tenant": tenant, "by": by, "cid": cid}).first()
    return from_row(row) if row else None


def events_of_cids(
    connection: sa.Connection, tenant: str, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Event]:
    """Return the events that any of (by, cid) made earlier."""
    if not wanted:
        return {}
    c = t.event.c
    # Pairs as alternatives use the index three columns deep. A comparison of rows does not:
    # SQLite would read the tenant's whole log.
    pairs = [sa.and_(c.tenant == tenant, c.by == by, c.cid == cid) for by, cid in wanted]
    found = connection.execute(sa.select(t.event).where(sa.or_(*pairs)))
    return {(row.by, row.cid): from_row(row) for row in found}


def conversations(
    connection: sa.Connection, tenant: str, ids: Collection[str]
) -> dict[str, Conversation]:
    """Return the conversations among *ids* that exist."""
    found = connection.execute(_CONVERSATIONS, {"tenant": tenant, "ids": list(ids)})
    return {row.id: conversation_of(row) for row in found}


def conversation_of(row: sa.Row[Any]) -> Conversation:
    """Return the state in a row of the whole conversation table."""
    values = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for it
    values["tags"] = tuple(values["tags"])
    values["links"] = tuple(values["links"])
    return Conversation(**values)


def open_conversation_of(
    connection: sa.Connection, tenant: str, visitor: str
) -> Conversation | None:
    """Return the visitor's latest conversation that is not closed."""
    row = connection.execute(_OPEN_OF, {"tenant": tenant, "visitor": visitor}).first()
    return conversation_of(row) if row else None


def customer_of_visitor(
    connection: sa.Connection, tenant: str, visitor: str
) -> tuple[str, str | None] | None:
    """Return (id, name) of the customer that *visitor* was proven to be."""
    row = connection.execute(_CUSTOMER_OF, {"tenant": tenant, "visitor": visitor}).first()
    return (row.id, row.name) if row else None


def mark_of(connection: sa.Connection, tenant: str, agent: str, conversation: str) -> Mark:
    """Return how far *agent* has read."""
    keys = {"tenant": tenant, "agent": agent, "conversation": conversation}
    row = connection.execute(_MARK_OF, keys).first()
    return Mark(row.seq, row.seen) if row else Mark()


def visitor_messages_after(
    connection: sa.Connection, tenant: str, conversation: str, seq: int
) -> int:
    """Return how many messages of the visitor come after *seq*."""
    keys = {"tenant": tenant, "conversation": conversation, "seq": seq}
    return connection.execute(_AFTER, keys).scalar_one()


def insert_events(connection: sa.Connection, events: Sequence[Event]) -> None:
    """Insert *events*."""
    _INSERT_EVENTS.many(
        connection,
        [
            (
                one.tenant,
                one.seq,
                to_micros(one.at),
                one.kind,
                one.conversation,
                one.audience,
                one.by,
                one.cid,
                one.digest,
                one.inbox,
                one.visitor,
                one.data,
            )
            for one in events
        ],
    )


def upsert_conversations(connection: sa.Connection, states: Iterable[Conversation]) -> None:
    """Write the new states."""
    _UPSERT_CONVERSATIONS.many(connection, [_stored(state) for state in states])


def _stored(state: Conversation) -> tuple[Any, ...]:
    values = list(_CONVERSATION_VALUES(state))
    for place, convert in _CONVERTED:
        if values[place] is not None:
            values[place] = convert(values[place])
    return tuple(values)


def set_summary(connection: sa.Connection, tenant: str, conversation: str, line: str) -> None:
    """Write the one line that no event reports."""
    c = t.conversation.c
    change = sa.update(t.conversation).where(c.tenant == tenant, c.id == conversation)
    connection.execute(change.values(summary=line))


def upsert_marks(
    connection: sa.Connection, tenant: str, marks: Mapping[tuple[str, str], Mark]
) -> None:
    """Write how far agents have read."""
    if marks:
        connection.execute(
            _UPSERT_MARKS.on(connection.dialect),
            [
                {
                    "tenant": tenant,
                    "agent": agent,
                    "conversation": conversation,
                    "seq": mark.seq,
                    "seen": mark.seen,
                }
                for (agent, conversation), mark in marks.items()
            ],
        )


def insert_objects(
    connection: sa.Connection, tenant: str, objects: Sequence[tuple[str, str]]
) -> None:
    """Tie objects of business systems to conversations."""
    if objects:
        connection.execute(
            _INSERT_OBJECTS.on(connection.dialect),
            [
                {"tenant": tenant, "object": thing, "conversation": conversation}
                for thing, conversation in objects
            ],
        )
