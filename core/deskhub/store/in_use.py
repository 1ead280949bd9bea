"""Whether runs of actions still need an adapter."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.runs import LIVE
from deskhub.store.tables.actions import action_run, action_step


def moves_with(connection: sa.Connection, tenant: str, instance: str) -> bool:
    """Return whether a run that goes on by itself has a step with *instance*."""
    step, run = action_step.c, action_run.c
    has_step = sa.exists().where(
        step.tenant == run.tenant, step.run == run.id, step.instance == instance
    )
    asked = sa.select(run.id).where(run.tenant == tenant, run.state.in_(LIVE), has_step)
    return connection.execute(asked.limit(1)).first() is not None
