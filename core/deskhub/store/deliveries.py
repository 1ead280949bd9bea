"""Deliveries as rows: what is due, how attempts ended, what is shown and what is forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from deskhub.ids import new_id
from deskhub.store import log
from deskhub.store.event import Event
from deskhub.store.tables.subscriptions import delivery, delivery_attempt, subscription
from deskhub.store.tx import Connection, Tx

DeliveryState = Literal["waiting", "done", "failed"]
STATES: tuple[DeliveryState, ...] = ("waiting", "done", "failed")
# What an admin tries out; it stands in no log.
TEST = "webhook.test"
# How many are forgotten in one transaction.
SWEEP_MAX = 2_000

_D = delivery.c
_A = delivery_attempt.c
_S = subscription.c


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One event on its way to one address. *id* is the message's id on every attempt."""

    tenant: str
    id: str
    subscription: str
    seq: int | None
    kind: str
    conversation: str | None
    state: DeliveryState
    tries: int
    attempts: int
    next_at: datetime
    created_at: datetime
    ended_at: datetime | None
    ms: float | None
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and its answer. *error* is a class such as ``timeout``; "" is success."""

    n: int
    at: datetime
    ms: float
    signature: str
    status: int | None
    error: str
    headers: Mapping[str, str]
    body: str


def add(
    tx: Tx, to: str, kind: str, seq: int | None = None, conversation: str | None = None
) -> str:
    """Note that *to* is to be told of an event; return the delivery's id."""
    id_ = new_id("msg")
    tx.connection.execute(
        sa.insert(delivery).values(
            tenant=tx.tenant, id=id_, subscription=to, seq=seq, kind=kind,
            conversation=conversation, state="waiting", tries=0, attempts=0, next_at=tx.now,
            created_at=tx.now, ended_at=None, ms=None, status=None, error="",
        )
    )  # fmt: skip
    return id_


def due(
    connection: Connection, tenant: str, to: str, now: datetime, limit: int
) -> Sequence[DeliveryRow]:
    """Return what waits for the subscription *to* and is due, in the order of the log."""
    query = (
        sa.select(delivery)
        .where(*_of(tenant, to), _D.state == "waiting", _D.next_at <= now)
        .order_by(_D.next_at, _D.id)
        .limit(limit)
    )
    return [_row(row) for row in connection.execute(query)]


def next_due(connection: Connection, tenant: str, after: datetime) -> datetime | None:
    """Return when the next delivery to an active subscription is due after *after*."""
    query = (
        sa.select(sa.func.min(_D.next_at))
        .join(subscription, sa.and_(_S.tenant == _D.tenant, _S.id == _D.subscription))
        .where(
            _D.tenant == tenant, _D.state == "waiting", _D.next_at > after,
            _S.state == "active",
        )
    )  # fmt: skip
    found: datetime | None = connection.execute(query).scalar()
    return found


def event_of(connection: Connection, row: DeliveryRow) -> Event | None:
    """Return the event that *row* tells, as the log has it now; None for a test."""
    if row.seq is None:
        return None
    found = log.after(connection, row.tenant, row.seq - 1, 1)
    return found[0] if found and found[0].seq == row.seq else None


def settle(
    tx: Tx, row: DeliveryRow, attempt: Attempt, state: DeliveryState, next_at: datetime
) -> bool:
    """Write down how an attempt ended; return false when *row* waits no more as it was."""
    change = (
        sa.update(delivery)
        .where(
            _D.tenant == tx.tenant, _D.id == row.id, _D.state == "waiting",
            _D.attempts == row.attempts,
        )
        .values(
            state=state, tries=row.tries + 1, attempts=row.attempts + 1, next_at=next_at,
            ended_at=None if state == "waiting" else tx.now, ms=attempt.ms,
            status=attempt.status, error=attempt.error,
        )
    )  # fmt: skip
    if tx.connection.execute(change).rowcount != 1:
        return False
    values = {name: getattr(attempt, name) for name in Attempt.__slots__}
    tx.connection.execute(
        sa.insert(delivery_attempt).values(tenant=tx.tenant, delivery=row.id, **values)
    )
    return True


def give_up(tx: Tx, to: str, error: str) -> int:
    """Let everything that waits for *to* fail; it can be replayed. Return how many."""
    change = sa.update(delivery).where(*_of(tx.tenant, to), _D.state == "waiting")
    return tx.connection.execute(
        change.values(state="failed", error=error, ended_at=tx.now)
    ).rowcount


def replay(tx: Tx, to: str, id_: str) -> bool:
    """Let an ended delivery wait anew with all its tries; return whether there is one."""
    where = (*_of(tx.tenant, to), _D.id == id_, _D.state != "waiting")
    return _again(tx, where) > 0


def replay_failed(tx: Tx, to: str, since: datetime | None) -> int:
    """Do the same with everything that failed, or failed since a moment; return how many."""
    where = [*_of(tx.tenant, to), _D.state == "failed"]
    if since is not None:
        where.append(_D.created_at >= since)
    return _again(tx, where)


def _again(tx: Tx, where: Sequence[sa.ColumnElement[bool]]) -> int:
    change = sa.update(delivery).where(*where)
    values = {"state": "waiting", "tries": 0, "next_at": tx.now, "ended_at": None}
    return tx.connection.execute(change.values(**values)).rowcount


def listed(
    connection: Connection,
    tenant: str,
    to: str,
    *,
    state: DeliveryState | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[DeliveryRow]:
    """Return deliveries, newest first; *before* is the last id of the page before."""
    query = sa.select(delivery).where(*_of(tenant, to))
    if state is not None:
        query = query.where(_D.state == state)
    if before is not None:
        query = query.where(_D.id < before)
    # Ids grow with time.
    rows = connection.execute(query.order_by(_D.id.desc()).limit(limit))
    return [_row(row) for row in rows]


def counts(connection: Connection, tenant: str) -> dict[str, dict[str, int]]:
    """Return how many deliveries of each subscription are in which state."""
    query = (
        sa.select(_D.subscription, _D.state, sa.func.count())
        .where(_D.tenant == tenant)
        .group_by(_D.subscription, _D.state)
    )
    found: dict[str, dict[str, int]] = {}
    for to, state, count in connection.execute(query):
        found.setdefault(to, {})[state] = count
    return found


def waiting(connection: Connection, tenant: str, to: str) -> int:
    """Return how much waits for the subscription *to*."""
    query = (
        sa.select(sa.func.count())
        .select_from(delivery)
        .where(*_of(tenant, to), _D.state == "waiting")
    )
    return int(connection.execute(query).scalar() or 0)


def get(connection: Connection, tenant: str, to: str, id_: str) -> DeliveryRow | None:
    """Return one delivery to the subscription *to*."""
    row = connection.execute(sa.select(delivery).where(*_of(tenant, to), _D.id == id_)).first()
    return None if row is None else _row(row)


def attempts(connection: Connection, tenant: str, id_: str) -> Sequence[Attempt]:
    """Return the attempts at a delivery, the last one first."""
    query = (
        sa.select(*(_A[name] for name in Attempt.__slots__))
        .where(_A.tenant == tenant, _A.delivery == id_)
        .order_by(_A.n.desc())
    )
    return [Attempt(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def sweep(tx: Tx, before: datetime) -> int:
    """Forget ended deliveries from before a moment, a bounded number; return how many."""
    old = (
        sa.select(_D.id)
        .where(_D.tenant == tx.tenant, _D.state != "waiting", _D.created_at < before)
        .limit(SWEEP_MAX)
    )
    ids = list(tx.connection.execute(old).scalars())
    tx.connection.execute(
        sa.delete(delivery_attempt).where(_A.tenant == tx.tenant, _A.delivery.in_(ids))
    )
    tx.connection.execute(sa.delete(delivery).where(_D.tenant == tx.tenant, _D.id.in_(ids)))
    return len(ids)


def forget_conversation(connection: Connection, tenant: str, conversation: str) -> None:
    """Blank what addresses answered about *conversation*: they may have said it back."""
    own = sa.select(_D.id).where(_D.tenant == tenant, _D.conversation == conversation)
    connection.execute(
        sa.update(delivery_attempt)
        .where(_A.tenant == tenant, _A.delivery.in_(own))
        .values(body="", headers={})
    )


def _of(tenant: str, to: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_D.tenant == tenant, _D.subscription == to)


def _row(row: sa.Row[Any]) -> DeliveryRow:
    return DeliveryRow(**row._mapping)  # noqa: SLF001  public in SQLAlchemy
