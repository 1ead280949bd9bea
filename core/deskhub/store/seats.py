"""The names of agents, for whoever knows only their ids."""

from __future__ import annotations

import sqlalchemy as sa

from deskhub.store.tables.identity import agent as table


def name_of(connection: sa.Connection, tenant: str, agent: str) -> str | None:
    """Return the display name of an active agent, or None."""
    query = sa.select(table.c.name).where(
        table.c.tenant == tenant, table.c.id == agent, table.c.active
    )
    name: str | None = connection.execute(query).scalar()
    return name
