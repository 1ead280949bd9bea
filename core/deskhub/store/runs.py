"""The journal's rows: runs, steps and attempts, as plain records and guarded writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from deskhub.store.sabotage import sabotaged
from deskhub.store.tables.actions import action_attempt, action_run, action_step
from deskhub.store.tables.hub import signal


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One call of a step: *what* is ``run``, ``lookup``, ``undo`` or ``person``."""

    n: int
    what: str
    at: datetime
    ms: float
    ok: bool
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a run. *spec* is what it declared, *shown* what its preview said."""

    id: str
    position: int
    wave: int
    instance: str
    version: str
    spec: dict[str, Any]
    shown: dict[str, Any]
    key: str
    state: str = "planned"
    fact: dict[str, Any] | None = None
    result: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: tuple[AttemptRow, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run with its steps in order. *active* holds the object against a second run."""

    tenant: str
    id: str
    number: int
    type: str
    object: str
    conversation: str
    inbox: str
    visitor: str | None
    language: str
    plan: str
    digest: str
    basis: str
    input: dict[str, Any]
    subject: dict[str, Any]
    customer: dict[str, Any] | None
    actor: dict[str, Any]
    started_at: datetime
    lease_until: datetime
    state: str = "running"
    direction: str = "forward"
    active: bool = True
    cause: str = ""
    fence: int = 0
    owner: str = ""
    rev: int = 1
    card_digest: str = ""
    ended_at: datetime | None = None
    approver: dict[str, Any] | None = None
    wake_on: str | None = None
    wake_instance: str | None = None
    wake_at: datetime | None = None
    waiting_since: datetime | None = None
    steps: tuple[StepRow, ...] = ()


LIVE = ("running", "compensating")
ENDED = ("completed", "compensated", "attention")
# The owner of runs that a restore took from the machines.
HANDED_OVER = "restore"

# Built once: a run's journal is read at every write, and building costs more than running.
_LOAD = sa.select(action_run).where(
    action_run.c.tenant == sa.bindparam("tenant"), action_run.c.id == sa.bindparam("run")
)
_STEPS = (
    sa.select(action_step)
    .where(
        action_step.c.tenant == sa.bindparam("tenant"),
        action_step.c.run.in_(sa.bindparam("runs", expanding=True)),
    )
    .order_by(action_step.c.run, action_step.c.position)
)
_ATTEMPTS = (
    sa.select(action_attempt)
    .where(
        action_attempt.c.tenant == sa.bindparam("tenant"),
        action_attempt.c.run.in_(sa.bindparam("runs", expanding=True)),
    )
    .order_by(action_attempt.c.run, action_attempt.c.step, action_attempt.c.n)
)
_HOLD = (
    action_run.update()
    .where(
        action_run.c.tenant == sa.bindparam("of_tenant"),
        action_run.c.id == sa.bindparam("of_run"),
        action_run.c.fence == sa.bindparam("of_fence"),
        action_run.c.state.in_(LIVE),
    )
    .values(lease_until=sa.bindparam("until"), rev=action_run.c.rev + 1)
)
_RUN = tuple(field.name for field in fields(RunRow) if field.name != "steps")
_STEP = tuple(field.name for field in fields(StepRow) if field.name != "attempts")
_ATTEMPT = tuple(field.name for field in fields(AttemptRow))


def insert_run(connection: sa.Connection, run: RunRow) -> None:
    """Store *run* with its steps. Raises `sa.exc.IntegrityError` when its object has one."""
    values = {name: getattr(run, name) for name in _RUN}
    customer = None if run.customer is None else run.customer["id"]
    connection.execute(action_run.insert().values({**values, "customer_id": customer}))
    for step in run.steps:
        values = {name: getattr(step, name) for name in _STEP}
        connection.execute(action_step.insert().values(tenant=run.tenant, run=run.id, **values))


def next_number(connection: sa.Connection, tenant: str) -> int:
    """Return the number of the tenant's next run, from 1."""
    query = sa.select(sa.func.max(action_run.c.number)).where(action_run.c.tenant == tenant)
    return int(connection.execute(query).scalar() or 0) + 1


def load_run(connection: sa.Connection, tenant: str, run: str) -> RunRow | None:
    """Return the run with its steps and attempts, or None when *tenant* has no such run."""
    rows = connection.execute(_LOAD, {"tenant": tenant, "run": run}).all()
    return next(iter(_with_steps(connection, tenant, rows)), None)


def list_runs(
    connection: sa.Connection,
    tenant: str,
    *,
    states: Sequence[str] = (),
    conversation: str | None = None,
    customer: str | None = None,
    object_: str | None = None,
    limit: int = 100,
) -> Sequence[RunRow]:
    """Return the tenant's runs, newest first; empty *states* means any."""
    query = sa.select(action_run).where(action_run.c.tenant == tenant)
    if states:
        query = query.where(action_run.c.state.in_(states))
    if conversation is not None:
        query = query.where(action_run.c.conversation == conversation)
    if customer is not None:
        query = query.where(action_run.c.customer_id == customer)
    if object_ is not None:
        query = query.where(action_run.c.object == object_)
    rows = connection.execute(query.order_by(action_run.c.number.desc()).limit(limit)).all()
    return list(_with_steps(connection, tenant, rows))


def active_runs(
    connection: sa.Connection, tenant: str, type_: str, objects: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Return, for each of *objects* that has one, its active run's (id, digest)."""
    table = action_run.c
    rows = connection.execute(
        sa.select(table.object, table.id, table.digest).where(
            table.tenant == tenant,
            table.type == type_,
            table.object.in_(objects),
            table.active.is_(True),
        )
    )
    return {row.object: (row.id, row.digest) for row in rows}


def twin_run(
    connection: sa.Connection,
    tenant: str,
    type_: str,
    object_: str,
    basis: str,
    since: datetime,
) -> str | None:
    """Return the run that did exactly this since *since*, or None."""
    table = action_run.c
    query = sa.select(table.id).where(
        table.tenant == tenant,
        table.type == type_,
        table.object == object_,
        table.basis == basis,
        table.started_at >= since,
    )
    return connection.execute(query.order_by(table.number.desc())).scalar()


def hold(connection: sa.Connection, tenant: str, run: str, fence: int, until: datetime) -> bool:
    """Lengthen the lease and raise ``rev``; False when *fence* is no longer the run's."""
    values = {"of_tenant": tenant, "of_run": run, "of_fence": fence, "until": until}
    done = connection.execute(_HOLD, values)
    return done.rowcount == 1 or sabotaged("no_fence")


def expired(connection: sa.Connection, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
    """Return (tenant, run) of live runs that nobody holds, longest waiting first."""
    table = action_run.c
    rows = connection.execute(
        sa.select(table.tenant, table.id)
        .where(table.state.in_(LIVE), table.lease_until <= now)
        .order_by(table.lease_until)
        .limit(limit)
    )
    return [(row.tenant, row.id) for row in rows]


def owned(connection: sa.Connection, owner: str) -> Sequence[tuple[str, str]]:
    """Return (tenant, run) of live runs that *owner* held when it last stopped."""
    table = action_run.c
    rows = connection.execute(
        sa.select(table.tenant, table.id).where(table.state.in_(LIVE), table.owner == owner)
    )
    return [(row.tenant, row.id) for row in rows]


def claim(
    connection: sa.Connection,
    tenant: str,
    run: str,
    *,
    owner: str,
    now: datetime,
    until: datetime,
    former: str | None = None,
) -> int | None:
    """Take a run whose lease ended (or that *former* held); its new fence, or None."""
    free = action_run.c.lease_until <= now
    if former is not None:
        free = sa.or_(free, action_run.c.owner == former)
    done = connection.execute(
        action_run.update()
        .where(_is_run(tenant, run), action_run.c.state.in_(LIVE), free)
        .values(owner=owner, fence=action_run.c.fence + 1, lease_until=until)
    )
    if done.rowcount != 1:
        return None
    fence = sa.select(action_run.c.fence).where(_is_run(tenant, run))
    return int(connection.execute(fence).scalar_one())


def update_run(connection: sa.Connection, tenant: str, run: str, **values: object) -> None:
    """Change columns of a run; only after `hold`, or in a person's transaction."""
    connection.execute(action_run.update().where(_is_run(tenant, run)).values(**values))


def update_step(
    connection: sa.Connection, tenant: str, run: str, step: str, **values: object
) -> None:
    """Change columns of a step; only after `hold`, or in a person's transaction."""
    table = action_step.c
    connection.execute(
        action_step.update()
        .where(table.tenant == tenant, table.run == run, table.id == step)
        .values(**values)
    )


def add_attempt(
    connection: sa.Connection, tenant: str, run: str, step: str, attempt: AttemptRow
) -> None:
    """Note one call; its number is counted here and *attempt.n* is not used."""
    table = action_attempt.c
    count = connection.execute(
        sa.select(sa.func.count()).where(
            table.tenant == tenant, table.run == run, table.step == step
        )
    ).scalar_one()
    values = {name: getattr(attempt, name) for name in _ATTEMPT}
    values |= {"tenant": tenant, "run": run, "step": step, "n": count + 1}
    connection.execute(action_attempt.insert().values(values))


def to_wake(
    connection: sa.Connection, now: datetime, limit: int = 100
) -> Sequence[tuple[str, str, bool]]:
    """Return (tenant, run, whether its time is up) of waiting runs with something to do.

    A signal counts from the moment on at which the far side was asked: what came between its
    answer and the run's sleep is not lost.
    """
    table = action_run.c
    told = sa.exists().where(
        signal.c.tenant == table.tenant,
        signal.c.instance == table.wake_instance,
        signal.c.object == table.wake_on,
        signal.c.received_at >= table.waiting_since,
    )
    over = table.wake_at <= now
    rows = connection.execute(
        sa.select(table.tenant, table.id, told.label("told"))
        .where(table.state == "waiting", sa.or_(over, told))
        .order_by(table.wake_at)
        .limit(limit)
    )
    return [(row.tenant, row.id, not row.told) for row in rows]


def count_open(connection: sa.Connection) -> dict[str, int]:
    """Return how many runs are under way or wait for a person, by state, of all tenants."""
    state = action_run.c.state
    query = sa.select(state, sa.func.count()).where(state.in_((*LIVE, "attention")))
    return {row[0]: int(row[1]) for row in connection.execute(query.group_by(state))}


def hand_over(connection: sa.Connection, now: datetime) -> int:
    """Give every live run to a person, as after a restore; return how many there were.

    What a run had not finished when the backup was made may have happened since: its open
    steps become unknown, and no machine may guess. The runs stay marked until `handed_over`
    was read and they are announced.
    """
    live = sa.select(action_run.c.tenant, action_run.c.id).where(
        action_run.c.state.in_((*LIVE, "waiting"))
    )
    for row in connection.execute(live).all():
        table = action_step.c
        mine = sa.and_(table.tenant == row.tenant, table.run == row.id)
        for open_, lost in (
            (("planned", "intent"), "unknown"),
            (("undo_intent",), "undo_failed"),
        ):
            connection.execute(
                action_step.update()
                .where(mine, table.state.in_(open_))
                .values(state=lost, ended_at=now)
            )
    done = connection.execute(
        action_run.update()
        .where(action_run.c.state.in_((*LIVE, "waiting")))
        .values(
            state="attention",
            owner=HANDED_OVER,
            fence=action_run.c.fence + 1,
            rev=action_run.c.rev + 1,
            lease_until=now,
        )
    )
    return done.rowcount


def handed_over(connection: sa.Connection) -> Sequence[tuple[str, str]]:
    """Return (tenant, run) of runs that `hand_over` took and nobody was told of yet."""
    table = action_run.c
    rows = connection.execute(
        sa.select(table.tenant, table.id).where(
            table.state == "attention", table.owner == HANDED_OVER
        )
    )
    return [(row.tenant, row.id) for row in rows]


def _is_run(tenant: str, run: str) -> sa.ColumnElement[bool]:
    return sa.and_(action_run.c.tenant == tenant, action_run.c.id == run)


def _with_steps(
    connection: sa.Connection, tenant: str, rows: Sequence[sa.Row[Any]]
) -> Iterable[RunRow]:
    """Join *rows* with their steps and attempts: three queries however many runs."""
    ids = [row.id for row in rows]
    if not ids:
        return
    attempts: dict[tuple[str, str], list[AttemptRow]] = {}
    for row in connection.execute(_ATTEMPTS, {"tenant": tenant, "runs": ids}):
        values = {name: getattr(row, name) for name in _ATTEMPT}
        attempts.setdefault((row.run, row.step), []).append(AttemptRow(**values))
    steps: dict[str, list[StepRow]] = {}
    for row in connection.execute(_STEPS, {"tenant": tenant, "runs": ids}):
        values = {name: getattr(row, name) for name in _STEP}
        found = tuple(attempts.get((row.run, row.id), ()))
        steps.setdefault(row.run, []).append(StepRow(**values, attempts=found))
    for row in rows:
        values = {name: getattr(row, name) for name in _RUN}
        yield RunRow(**values, steps=tuple(steps.get(row.id, ())))
