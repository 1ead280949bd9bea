"""Overwriting one conversation in place: texts go, numbers and structure stay.

The log keeps every seq. What was said is replaced a page at a time; the last page is in one
transaction with the event that tells readers to drop their copies.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from deskhub.chat.model import Conversation
from deskhub.store import deliveries, mail_data, push_data, tombstones
from deskhub.store.event import encode_data
from deskhub.store.runs import LIVE
from deskhub.store.sabotage import sabotaged
from deskhub.store.tables import actions as a
from deskhub.store.tables import chat as t
from deskhub.store.tables import hub as h
from deskhub.store.tables.customers import erased_conversation
from deskhub.store.tx import Tx
from deskhub.store.upsert import Upsert

Why = Literal["customer", "retention"]

# Events that are overwritten in one transaction: a long conversation holds up nobody.
PAGE = 500
# The runs that a machine or a person still works on: their data is needed.
UNFINISHED = (*LIVE, "waiting", "attention")

_E = t.event.c
_WRITE = (
    sa.update(t.event)
    .where(_E.tenant == sa.bindparam("of"), _E.seq == sa.bindparam("at_seq"))
    .values(data=sa.bindparam("left"), digest=b"")
)
_DONE = Upsert(erased_conversation)


def overwrite(tx: Tx, conversation: str, after: int, why: Why = "customer") -> int | None:
    """Blank a page of events after seq *after*; return its last seq, None at the end."""
    state = tx.conversation(conversation)
    if state is None or not may_go(state, why):
        return None
    query = (
        sa.select(_E.seq, _E.kind, _E.by, _E.data)
        .where(_E.tenant == tx.tenant, _E.conversation == conversation, _E.seq > after)
        .order_by(_E.seq)
        .limit(PAGE)
    )
    found = tx.connection.execute(query).all()
    changed = [one for row in found if (one := _left(tx.tenant, row)) is not None]
    if changed and not sabotaged("erase_forgets_events"):
        tx.connection.execute(_WRITE, changed)
    return found[-1].seq if len(found) == PAGE else None


def finish(tx: Tx, conversation: str, after: int, by: str, why: Why) -> bool:
    """Blank what is left after seq *after* and everything beside the log.

    Appends ``conversation.erased``; return False when nothing came since it was erased last.
    """
    state = tx.conversation(conversation)
    if state is None or not may_go(state, why):
        return False
    if is_erased(tx.connection, tx.tenant, conversation, state.head):
        return False
    place: int | None = after
    while place is not None:
        place = overwrite(tx, conversation, place)
    _beside(tx, conversation)
    scrub_runs(tx.connection, tx.tenant, runs_of(tx.connection, tx.tenant, [conversation]))
    tx.replace_conversation(_blank(state))
    seq = tx.append(
        tombstones.ERASED,
        conversation=conversation,
        audience="all",
        by=by,
        data={"why": why},
    )
    row = {"tenant": tx.tenant, "conversation": conversation, "seq": seq, "at": tx.now}
    tx.connection.execute(_DONE.on(tx.connection.dialect), row)
    return True


def may_go(state: Conversation, why: Why) -> bool:
    """Return whether *why* is reason enough: age is none for what is talked about again."""
    return why == "customer" or state.state == "closed"


def is_erased(connection: sa.Connection, tenant: str, conversation: str, head: int) -> bool:
    """Return whether the conversation was erased and nothing was said after that."""
    c = erased_conversation.c
    query = sa.select(c.seq).where(c.tenant == tenant, c.conversation == conversation)
    seq = connection.execute(query).scalar()
    return seq is not None and seq >= head


def runs_of(
    connection: sa.Connection,
    tenant: str,
    conversations: Collection[str],
    customers: Collection[str] = (),
) -> Sequence[str]:
    """Return the ids of the runs in *conversations* and of *customers*."""
    c = a.action_run.c
    theirs = c.conversation.in_(list(conversations)) | c.customer_id.in_(list(customers))
    found = connection.execute(sa.select(c.id).where(c.tenant == tenant, theirs))
    return list(found.scalars())


def unfinished(connection: sa.Connection, tenant: str, runs: Collection[str]) -> Sequence[int]:
    """Return the numbers of those of *runs* that have not ended."""
    c = a.action_run.c
    query = sa.select(c.number).where(
        c.tenant == tenant, c.id.in_(list(runs)), c.state.in_(UNFINISHED)
    )
    return sorted(connection.execute(query).scalars())


def scrub_runs(connection: sa.Connection, tenant: str, runs: Collection[str]) -> None:
    """Leave amounts, numbers, states and times of *runs*, which books need; nothing else."""
    for run in runs:
        _scrub_run(connection, tenant, run)


def _left(tenant: str, row: Any) -> dict[str, Any] | None:  # noqa: ANN401  a row
    left = encode_data(tombstones.event_data(row.kind, row.by, orjson.loads(row.data)))
    if left == row.data:
        return None
    return {"of": tenant, "at_seq": row.seq, "left": left}


def _blank(state: Conversation) -> Conversation:
    return replace(
        state, name="", language=None, state="closed", tags=(), links=(), last_text="",
        waiting_since=None, snoozed_until=None, summary="",
    )  # fmt: skip


def _beside(tx: Tx, conversation: str) -> None:
    """Remove what is no event: drafts, links to objects, errors that quote, plans unused."""
    db, tenant = tx.connection, tx.tenant
    _forget_signals(tx, conversation)
    mail_data.forget_conversation(db, tenant, conversation)
    push_data.forget_conversation(db, tenant, conversation)
    deliveries.forget_conversation(db, tenant, conversation)
    for table in (t.draft, t.conversation_object):
        db.execute(
            sa.delete(table).where(
                table.c.tenant == tenant, table.c.conversation == conversation
            )
        )
    own = sa.select(_E.seq).where(_E.tenant == tenant, _E.conversation == conversation)
    dead = h.hook_dead
    db.execute(
        sa.update(dead)
        .where(dead.c.tenant == tenant, dead.c.seq.in_(own))
        .values(error="erased")
    )
    plan = a.action_plan
    here = (plan.c.tenant == tenant, plan.c.conversation == conversation)
    unused = sa.select(plan.c.id).where(*here, plan.c.run.is_(None))
    approval = a.action_approval
    db.execute(
        sa.delete(approval).where(approval.c.tenant == tenant, approval.c.plan.in_(unused))
    )
    db.execute(sa.delete(plan).where(*here, plan.c.run.is_(None)))


def _forget_signals(tx: Tx, conversation: str) -> None:
    """Blank what systems told of the conversation's objects; ids still tell a repetition."""
    c, s = t.conversation_object.c, h.signal.c
    linked = sa.select(c.object).where(c.tenant == tx.tenant, c.conversation == conversation)
    for object_ in tx.connection.execute(linked).scalars().all():
        instance, _, thing = object_.partition(":")
        tx.connection.execute(
            sa.update(h.signal)
            .where(s.tenant == tx.tenant, s.instance == instance)
            .where(s.object.in_([object_, thing]))
            .values(body=b"{}", error="", state="stale")
        )


def _scrub_run(connection: sa.Connection, tenant: str, id_: str) -> None:
    run, step, attempt = a.action_run, a.action_step, a.action_attempt
    row = connection.execute(
        sa.select(run).where(run.c.tenant == tenant, run.c.id == id_)
    ).one()
    steps = connection.execute(
        sa.select(step).where(step.c.tenant == tenant, step.c.run == id_)
    ).all()
    connection.execute(
        sa.update(run)
        .where(run.c.tenant == tenant, run.c.id == id_)
        .values(
            input=tombstones.blanked(row.input),
            subject=tombstones.blanked(row.subject),
            customer=sa.null(),
            cause="",
            wake_on=None,
        )
    )
    for one in steps:
        connection.execute(
            sa.update(step)
            .where(step.c.tenant == tenant, step.c.run == id_, step.c.id == one.id)
            .values(
                shown={**tombstones.blanked(one.shown), "title": one.spec.get("system", "")},
                fact=tombstones.fact_left(one.fact),
                result="",
            )
        )
    connection.execute(
        sa.update(attempt)
        .where(attempt.c.tenant == tenant, attempt.c.run == id_)
        .values(text="")
    )
    _scrub_plan(connection, tenant, row.plan)


def _scrub_plan(connection: sa.Connection, tenant: str, id_: str) -> None:
    plan, approval = a.action_plan, a.action_approval
    here = (plan.c.tenant == tenant, plan.c.id == id_)
    document = connection.execute(sa.select(plan.c.document).where(*here)).scalar()
    if document is not None:
        left = tombstones.blanked(document) | {"customer": None}
        # What a step declared names nobody, and is read again when a plan is looked at.
        left["steps"] = [
            {**blank, "spec": step["spec"]}
            for blank, step in zip(left["steps"], document["steps"], strict=True)
        ]
        connection.execute(sa.update(plan).where(*here).values(document=left))
    connection.execute(
        sa.update(approval)
        .where(approval.c.tenant == tenant, approval.c.plan == id_)
        .values(why="", reason="")
    )


def candidates(
    connection: sa.Connection, tenant: str, before: datetime, limit: int
) -> Sequence[str]:
    """Return closed conversations quiet since *before*, oldest first, not erased yet.

    Those with an action that has not ended are left out.
    """
    c, e, r = t.conversation.c, erased_conversation.c, a.action_run.c
    gone = sa.select(e.conversation).where(
        e.tenant == c.tenant, e.conversation == c.id, e.seq >= c.head
    )
    busy = sa.select(r.id).where(
        r.tenant == c.tenant, r.conversation == c.id, r.state.in_(UNFINISHED)
    )
    query = (
        sa.select(c.id)
        .where(
            c.tenant == tenant, c.state == "closed", c.last_at < before,
            ~gone.exists(), ~busy.exists(),
        )
        .order_by(c.last_at, c.id)
        .limit(limit)
    )  # fmt: skip
    return list(connection.execute(query).scalars())
