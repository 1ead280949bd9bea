"""What visitors answered before their first message, until a conversation begins with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.store.people import Person
from deskhub.store.tables.chat import event
from deskhub.store.tables.desk import prechat_answer
from deskhub.store.upsert import Upsert

if TYPE_CHECKING:
    # It is built on the batch, which asks here.
    from deskhub.store.tx import Tx

ANSWERED = "prechat.answered"
# Who has not written a word by then is asked again.
KEPT_FOR = timedelta(days=7)

_A = prechat_answer.c
_PUT = Upsert(prechat_answer)


def answers_of(
    connection: sa.Connection, tenant: str, visitor: str
) -> Mapping[str, object] | None:
    """Return what *visitor* has answered for the conversation to come, None for nothing."""
    query = sa.select(_A.answers).where(_A.tenant == tenant, _A.visitor == visitor)
    found: Mapping[str, object] | None = connection.execute(query).scalar()
    return found


def keep(tx: Tx, visitor: str, answers: Mapping[str, str | bool]) -> None:
    """Keep *answers* for the visitor's next conversation; older ones of anybody are dropped."""
    old = (_A.tenant == tx.tenant, _A.at < tx.now - KEPT_FOR)
    tx.connection.execute(sa.delete(prechat_answer).where(*old))
    row = {"tenant": tx.tenant, "visitor": visitor, "answers": dict(answers), "at": tx.now}
    tx.connection.execute(_PUT.on(tx.connection.dialect), row)


def drop(connection: sa.Connection, tenant: str, visitors: Collection[str]) -> None:
    """Forget what *visitors* have answered: it is in the log now, or is to be nowhere."""
    theirs = (_A.tenant == tenant, _A.visitor.in_(list(visitors)))
    connection.execute(sa.delete(prechat_answer).where(*theirs))


def told(connection: sa.Connection, tenant: str, conversation: str) -> list[dict[str, Any]]:
    """Return what was answered before *conversation*, as its event keeps it; maybe nothing."""
    e = event.c
    query = (
        sa.select(e.data)
        .where(e.tenant == tenant, e.conversation == conversation)
        .where(e.kind == ANSWERED)
        .order_by(e.seq.desc())
        .limit(1)
    )
    data = connection.execute(query).scalar()
    answers: list[dict[str, Any]] = orjson.loads(data)["answers"] if data else []
    # What is left of an erased one has no words.
    return [one for one in answers if one.get("title")]


def exported(connection: sa.Connection, tenant: str, person: Person) -> list[dict[str, Any]]:
    """Return what the person answered and has not yet written a message to."""
    query = sa.select(prechat_answer).where(
        _A.tenant == tenant, _A.visitor.in_(list(person.visitors))
    )
    return [
        {"visitor": row.visitor, "answers": row.answers, "at": rfc3339(row.at)}
        for row in connection.execute(query)
    ]
