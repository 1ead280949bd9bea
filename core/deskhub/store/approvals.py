"""Requests for a second person's yes, each for exactly one plan and digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from deskhub.store.tables.actions import action_approval, action_plan

_T = action_approval.c


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One request. *state* is asked, approved or refused; an asked one ends at *expires_at*."""

    tenant: str
    id: str
    plan: str
    digest: str
    inbox: str
    limit_text: str
    why: str
    asker: dict[str, Any]
    asked_at: datetime
    expires_at: datetime
    state: str = "asked"
    approver: dict[str, Any] | None = None
    reason: str = ""
    decided_at: datetime | None = None
    run: str | None = None


def insert_approval(connection: sa.Connection, row: ApprovalRow) -> None:
    """Keep the request, and its plan for as long as the request lives."""
    values = {name: getattr(row, name) for name in ApprovalRow.__slots__}
    connection.execute(action_approval.insert().values(**values))
    connection.execute(
        action_plan.update()
        .where(action_plan.c.tenant == row.tenant, action_plan.c.id == row.plan)
        .values(expires_at=row.expires_at)
    )


def load_approval(
    connection: sa.Connection, tenant: str, *, id_: str | None = None, plan: str | None = None
) -> ApprovalRow | None:
    """Return the request by its own id or its plan's, or None."""
    where = _T.id == id_ if id_ is not None else _T.plan == plan
    row = connection.execute(
        sa.select(action_approval).where(_T.tenant == tenant, where)
    ).first()
    return None if row is None else _row(row)


def list_approvals(
    connection: sa.Connection, tenant: str, *, now: datetime, limit: int = 100
) -> Sequence[ApprovalRow]:
    """Return the requests that wait for somebody, oldest first."""
    rows = connection.execute(
        sa.select(action_approval)
        .where(_T.tenant == tenant, _T.state == "asked", _T.expires_at > now)
        .order_by(_T.asked_at, _T.id)
        .limit(limit)
    )
    return [_row(row) for row in rows]


def decide(connection: sa.Connection, tenant: str, id_: str, **values: object) -> bool:
    """Write the decision; False when somebody decided before."""
    done = connection.execute(
        action_approval.update()
        .where(_T.tenant == tenant, _T.id == id_, _T.state == "asked")
        .values(**values)
    )
    return done.rowcount == 1


def _row(row: sa.Row[Any]) -> ApprovalRow:
    return ApprovalRow(**{name: getattr(row, name) for name in ApprovalRow.__slots__})
