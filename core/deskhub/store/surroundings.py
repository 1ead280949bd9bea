"""A conversation together with its customer, read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from deskhub.chat.model import Conversation
from deskhub.store import rows
from deskhub.store.tables import chat as t


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """The person as the hub keeps them."""

    tenant: str
    id: str
    subject: str | None
    name: str | None
    email: str | None
    phone: str | None
    language: str | None
    tags: tuple[str, ...]
    external: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Around:
    """A conversation and whom it is with, if that is known."""

    conversation: Conversation
    customer: CustomerRow | None


def around(connection: sa.Connection, tenant: str, conversation: str) -> Around | None:
    """Return the conversation with its customer, or None when *tenant* has no such one."""
    found = rows.conversations(connection, tenant, [conversation]).get(conversation)
    if found is None:
        return None
    if found.customer is None:
        return Around(found, None)
    table = t.customer.c
    row = connection.execute(
        sa.select(t.customer).where(table.tenant == tenant, table.id == found.customer)
    ).first()
    return Around(found, None if row is None else customer_row(row))


def customer_row(row: sa.Row[Any]) -> CustomerRow:
    """Return a row of the table as the person."""
    return CustomerRow(
        tenant=row.tenant,
        id=row.id,
        subject=row.subject,
        name=row.name,
        email=row.email,
        phone=row.phone,
        language=row.language,
        tags=tuple(row.tags or ()),
        external=dict(row.external or {}),
    )
