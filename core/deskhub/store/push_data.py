"""What is known of people because of web push: which browsers they are told in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.store.people import Person
from deskhub.store.tables.notify import push, push_device


def exported(connection: sa.Connection, tenant: str, person: Person) -> list[dict[str, Any]]:
    """Return the browsers of the person, oldest first, without the secret endpoint."""
    d = push_device.c
    owners = [f"visitor:{one}" for one in person.visitors]
    rows = connection.execute(
        sa.select(push_device).where(d.tenant == tenant, d.owner.in_(owners)).order_by(d.at)
    )
    return [
        {"kind": "browser", "visitor": row.owner.partition(":")[2],
         "service": urlsplit(row.endpoint).hostname or "", "at": rfc3339(row.at)}
        for row in rows
    ]  # fmt: skip


def forget_conversation(connection: sa.Connection, tenant: str, conversation: str) -> None:
    """Drop every notice about *conversation*."""
    p = push.c
    connection.execute(
        sa.delete(push).where(p.tenant == tenant, p.conversation == conversation)
    )


def forget_people(connection: sa.Connection, tenant: str, visitors: Collection[str]) -> None:
    """Drop the browsers of *visitors*, and what they were to be told."""
    d, p = push_device.c, push.c
    theirs = sa.select(d.id).where(
        d.tenant == tenant, d.owner.in_([f"visitor:{one}" for one in visitors])
    )
    connection.execute(sa.delete(push).where(p.tenant == tenant, p.device.in_(theirs)))
    connection.execute(
        sa.delete(push_device).where(
            d.tenant == tenant, d.owner.in_([f"visitor:{one}" for one in visitors])
        )
    )
