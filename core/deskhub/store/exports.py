"""Everything the hub knows of one customer, in parts that fit into memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.store import edits, people, runs
from deskhub.store.people import Person
from deskhub.store.tables import actions as a
from deskhub.store.tables import chat as t
from deskhub.store.tables import hub as h
from deskhub.store.tables.files import file

EVENTS_PAGE = 500
RUNS_MAX = 10_000

_E = t.event.c


def records(connection: sa.Connection, tenant: str, person: Person) -> list[dict[str, Any]]:
    """Return the customer's record, then those that were merged into it."""
    found = {row.id: row for row in people.records(connection, tenant, person.ids)}
    return [_record(found[one]) for one in person.ids if one in found]


def visitors(connection: sa.Connection, tenant: str, person: Person) -> list[dict[str, Any]]:
    """Return the browsers that were this person."""
    return [
        {
            "id": row.id,
            "inbox": row.inbox,
            "subject": row.subject,
            "name": row.name,
            "language": row.language,
            "since": rfc3339(row.created_at),
        }
        for row in people.visitor_rows(connection, tenant, person.visitors)
    ]


def conversation(connection: sa.Connection, tenant: str, id_: str) -> dict[str, Any]:
    """Return what is known of a conversation beside its events."""
    c = t.conversation.c
    row = connection.execute(
        sa.select(t.conversation).where(c.tenant == tenant, c.id == id_)
    ).one()
    return {
        "id": row.id,
        "inbox": row.inbox,
        "state": row.state,
        "name": row.name,
        "language": row.language,
        "opened_at": rfc3339(row.opened_at),
        "last_at": rfc3339(row.last_at),
        "tags": list(row.tags),
        "objects": list(row.links),
    }


def events(
    connection: sa.Connection, tenant: str, id_: str, after: int
) -> Sequence[dict[str, Any]]:
    """Return the next events of a conversation; *internal* ones the customer never saw.

    What was edited says in *edited* what it reads now; its first text is data, too.
    """
    found = connection.execute(
        sa.select(t.event)
        .where(_E.tenant == tenant, _E.conversation == id_, _E.seq > after)
        .order_by(_E.seq)
        .limit(EVENTS_PAGE)
    ).all()
    texts = edits.latest(connection, tenant, [row.seq for row in found])
    return [
        {
            "seq": row.seq,
            "at": rfc3339(row.at),
            "kind": row.kind,
            "by": row.by,
            "internal": row.audience == "agents",
            "data": orjson.Fragment(row.data),
            **({"edited": texts[row.seq]} if row.seq in texts else {}),
        }
        for row in found
    ]


def files(
    connection: sa.Connection, tenant: str, conversations: Collection[str]
) -> list[dict[str, Any]]:
    """Return the files of *conversations*, without their bytes."""
    f = file.c
    found = connection.execute(
        sa.select(file)
        .where(f.tenant == tenant, f.conversation.in_(list(conversations)))
        .order_by(f.at, f.id)
    )
    return [
        {
            "id": row.id,
            "conversation": row.conversation,
            "by": row.by,
            "name": row.name,
            "media": row.media,
            "bytes": row.bytes,
            "at": rfc3339(row.at),
        }
        for row in found
    ]


def kept_cards(
    connection: sa.Connection, tenant: str, subjects: Collection[str]
) -> list[dict[str, Any]]:
    """Return the cards that wait for the customer's next conversation."""
    k = h.kept_card.c
    found = connection.execute(
        sa.select(h.kept_card)
        .where(k.tenant == tenant, k.subject.in_(list(subjects)))
        .order_by(k.at)
    )
    return [
        {
            "source": row.source,
            "object": row.object,
            "at": rfc3339(row.at),
            "card": orjson.Fragment(row.card),
        }
        for row in found
    ]


def actions(connection: sa.Connection, tenant: str, person: Person) -> list[dict[str, Any]]:
    """Return the runs about the customer, oldest first, with what every step did."""
    r = a.action_run.c
    theirs = r.conversation.in_(list(person.conversations)) | r.customer_id.in_(person.ids)
    ids = connection.execute(
        sa.select(r.id).where(r.tenant == tenant, theirs).order_by(r.number).limit(RUNS_MAX)
    ).scalars()
    found = [runs.load_run(connection, tenant, one) for one in ids.all()]
    return [_run(run) for run in found if run is not None]


def audit_rows(
    connection: sa.Connection, tenant: str, customers: Collection[str], objects: Collection[str]
) -> list[dict[str, Any]]:
    """Return the rows of the audit trail about *customers* and about *objects* of theirs."""
    c = a.audit.c
    about = [*(f"customer:{one}" for one in customers), *objects]
    found = connection.execute(
        sa.select(a.audit).where(c.tenant == tenant, c.object.in_(about)).order_by(c.seq)
    )
    return [
        {
            "seq": row.seq,
            "at": rfc3339(row.at),
            "actor": row.actor,
            "what": row.what,
            "object": row.object,
            "data": row.data,
        }
        for row in found
    ]


def _record(row: Any) -> dict[str, Any]:  # noqa: ANN401  a row
    return {
        "id": row.id,
        "subject": row.subject,
        "name": row.name,
        "email": row.email,
        "phone": row.phone,
        "language": row.language,
        "tags": list(row.tags),
        "external": dict(row.external),
        "since": rfc3339(row.since),
    }


def _run(run: runs.RunRow) -> dict[str, Any]:
    return {
        "id": run.id,
        "number": run.number,
        "type": run.type,
        "object": run.object,
        "conversation": run.conversation,
        "state": run.state,
        "input": run.input,
        "subject": run.subject,
        "started_at": rfc3339(run.started_at),
        "ended_at": rfc3339(run.ended_at) if run.ended_at else None,
        "steps": [
            {
                "id": step.id,
                "instance": step.instance,
                "state": step.state,
                "fact": step.fact,
                "result": step.result,
                "attempts": [
                    {"what": one.what, "at": rfc3339(one.at), "ok": one.ok, "text": one.text}
                    for one in step.attempts
                ],
            }
            for step in run.steps
        ],
    }
