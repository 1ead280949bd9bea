"""Plans that wait for their confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from deskhub.store.tables.actions import action_plan


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One preview as it was shown. *document* is everything that a run needs to start.

    *digest* stands for all that was shown, *basis* for what must still hold when it runs.
    *run* is set once it was confirmed: a second confirmation gets the same run.
    """

    tenant: str
    id: str
    type: str
    object: str
    conversation: str
    actor: str
    digest: str
    basis: str
    document: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    run: str | None = None


def insert_plan(connection: sa.Connection, plan: PlanRow) -> None:
    """Keep *plan* until it is confirmed or swept."""
    values = {name: getattr(plan, name) for name in PlanRow.__slots__}
    connection.execute(action_plan.insert().values(**values))


def load_plan(connection: sa.Connection, tenant: str, plan: str) -> PlanRow | None:
    """Return the plan, or None when it does not exist in *tenant*."""
    table = action_plan.c
    row = connection.execute(
        sa.select(action_plan).where(table.tenant == tenant, table.id == plan)
    ).first()
    return None if row is None else PlanRow(**row._mapping)  # noqa: SLF001  public in SQLAlchemy


def set_run(connection: sa.Connection, tenant: str, plan: str, run: str) -> None:
    """Note that *plan* became *run*."""
    table = action_plan.c
    connection.execute(
        action_plan.update().where(table.tenant == tenant, table.id == plan).values(run=run)
    )


def sweep(connection: sa.Connection, tenant: str, before: datetime) -> int:
    """Delete plans that expired before *before* and never ran; return how many."""
    table = action_plan.c
    done = connection.execute(
        action_plan.delete().where(
            table.tenant == tenant, table.expires_at < before, table.run.is_(None)
        )
    )
    return done.rowcount
