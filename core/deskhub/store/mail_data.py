"""What is known of people because of mail: where it went, and where they want it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.store import channels
from deskhub.store.people import Person
from deskhub.store.tables.notify import mail, mail_contact, mail_stop


def exported(connection: sa.Connection, tenant: str, person: Person) -> list[dict[str, Any]]:
    """Return the mails about the person's conversations, oldest first, and their addresses."""
    m, c = mail.c, mail_contact.c
    sent = connection.execute(
        sa.select(mail)
        .where(m.tenant == tenant, m.conversation.in_(list(person.conversations)))
        .order_by(m.created_at, m.id)
    )
    left = connection.execute(
        sa.select(mail_contact)
        .where(c.tenant == tenant, c.visitor.in_(list(person.visitors)))
        .order_by(c.at)
    )
    return [
        *(
            {
                "kind": row.kind, "conversation": row.conversation, "state": row.state,
                "address": row.address, "at": rfc3339(row.created_at),
            }
            for row in sent
        ),
        *(
            {"kind": "contact", "visitor": row.visitor, "address": row.address,
             "at": rfc3339(row.at)}
            for row in left
        ),
        *channels.exported(connection, tenant, list(person.visitors)),
    ]  # fmt: skip


def forget_conversation(connection: sa.Connection, tenant: str, conversation: str) -> None:
    """Drop what waits to be mailed about *conversation*; of the rest only the fact stays."""
    m = mail.c
    here = (m.tenant == tenant, m.conversation == conversation)
    connection.execute(sa.delete(mail).where(*here, m.state == "waiting"))
    connection.execute(sa.update(mail).where(*here).values(address="", error=""))
    channels.forget_conversation(connection, tenant, conversation)


def forget_people(
    connection: sa.Connection,
    tenant: str,
    visitors: Collection[str],
    addresses: Collection[str],
) -> None:
    """Drop where *visitors* wanted mail, and that *addresses* or theirs wanted none."""
    c, s = mail_contact.c, mail_stop.c
    theirs = (c.tenant == tenant, c.visitor.in_(list(visitors)))
    left = connection.execute(sa.select(c.address).where(*theirs)).scalars()
    gone = {*addresses, *left, *channels.forget_visitors(connection, tenant, list(visitors))}
    connection.execute(sa.delete(mail_contact).where(*theirs))
    connection.execute(
        sa.delete(mail_stop).where(
            s.tenant == tenant, s.address.in_(sorted({*gone, *(one.lower() for one in gone)}))
        )
    )
