"""Who writes from outside the widget, and which of their messages are there already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.identity.records import Visitor
from deskhub.store import rows
from deskhub.store.identity_visitors import insert_visitor
from deskhub.store.tables import chat
from deskhub.store.tables.identity import visitor as table
from deskhub.store.tables.notify import channel_visitor
from deskhub.store.tx import Connection, Tx

_V = channel_visitor.c


@dataclass(frozen=True, slots=True)
class Correspondent:
    """One visitor of a channel: where answers go, and what came in first and last."""

    tenant: str
    visitor: str
    instance: str
    inbox: str
    address: str
    name: str
    title: str
    first_key: str
    last_key: str


def begin(tx: Tx, row: Correspondent, language: str | None) -> Correspondent:
    """Let somebody in who writes for the first time; who is known already stays as they are."""
    known = of_visitor(tx.connection, tx.tenant, row.visitor)
    if known is not None:
        return known
    visitor = Visitor(tenant=tx.tenant, id=row.visitor, inbox=row.inbox, language=language)
    if not _is_visitor(tx, row.visitor):
        insert_visitor(tx, visitor)
    values = {name: getattr(row, name) for name in Correspondent.__slots__}
    tx.connection.execute(sa.insert(channel_visitor).values(**values, at=tx.now))
    return row


def wrote(tx: Tx, visitor: str, key: str) -> None:
    """Remember the latest thing that *visitor* said."""
    tx.connection.execute(
        sa.update(channel_visitor).where(*_at(tx.tenant, visitor)).values(last_key=key)
    )


def of_visitor(connection: Connection, tenant: str, visitor: str) -> Correspondent | None:
    """Return who *visitor* is on a channel, or None when they use the widget."""
    row = connection.execute(sa.select(channel_visitor).where(*_at(tenant, visitor))).first()
    return _correspondent(row) if row else None


def of_conversation(
    connection: Connection, tenant: str, conversation: str
) -> Correspondent | None:
    """Return who writes in *conversation* over a channel, or None."""
    c = chat.conversation.c
    query = (
        sa.select(channel_visitor)
        .join(
            chat.conversation,
            sa.and_(c.tenant == _V.tenant, c.visitor == _V.visitor),
        )
        .where(c.tenant == tenant, c.id == conversation)
    )
    row = connection.execute(query).first()
    return _correspondent(row) if row else None


def conversation_of(connection: Connection, tenant: str, visitor: str) -> str | None:
    """Return the conversation of *visitor* that was written in last, or None."""
    c = chat.conversation.c
    query = (
        sa.select(c.id)
        .where(c.tenant == tenant, c.visitor == visitor)
        .order_by(c.last_seq.desc())
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def heard(connection: Connection, tenant: str, visitor: str, cid: str) -> str | None:
    """Return the conversation in which *visitor* already said what *cid* names, or None."""
    by = f"visitor:{visitor}"
    found = rows.events_of_cids(connection, tenant, [(by, cid)])
    event = found.get((by, cid))
    return event.conversation if event is not None else None


def forget_conversation(connection: Connection, tenant: str, conversation: str) -> None:
    """Forget who wrote in *conversation*: no answer leaves from it any more."""
    c = chat.conversation.c
    theirs = sa.select(c.visitor).where(c.tenant == tenant, c.id == conversation)
    connection.execute(
        sa.delete(channel_visitor).where(_V.tenant == tenant, _V.visitor.in_(theirs))
    )


def exported(connection: Connection, tenant: str, visitors: list[str]) -> list[dict[str, Any]]:
    """Return the addresses that *visitors* wrote from, oldest first."""
    query = (
        sa.select(channel_visitor)
        .where(_V.tenant == tenant, _V.visitor.in_(visitors))
        .order_by(_V.at)
    )
    return [
        {
            "kind": "channel", "visitor": row.visitor, "address": row.address,
            "name": row.name, "title": row.title, "at": rfc3339(row.at),
        }
        for row in connection.execute(query)
    ]  # fmt: skip


def forget_visitors(connection: Connection, tenant: str, visitors: list[str]) -> list[str]:
    """Forget *visitors*; return the addresses that they wrote from."""
    where = (_V.tenant == tenant, _V.visitor.in_(visitors))
    found = list(connection.execute(sa.select(_V.address).where(*where)).scalars())
    connection.execute(sa.delete(channel_visitor).where(*where))
    return found


def _is_visitor(tx: Tx, visitor: str) -> bool:
    query = sa.select(table.c.id).where(table.c.tenant == tx.tenant, table.c.id == visitor)
    return tx.connection.execute(query).first() is not None


def _correspondent(row: sa.Row[Any]) -> Correspondent:
    return Correspondent(*(getattr(row, name) for name in Correspondent.__slots__))


def _at(tenant: str, visitor: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_V.tenant == tenant, _V.visitor == visitor)
