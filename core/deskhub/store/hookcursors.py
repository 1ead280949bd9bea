"""How far each instance has been told of the log, and what it did not take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from deskhub.store.tables.hub import hook_cursor, hook_dead

_C = hook_cursor.c
_D = hook_dead.c


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An announcement that an instance did not take."""

    tenant: str
    instance: str
    seq: int
    hook: str
    attempts: int
    error: str
    at: datetime


def position(connection: sa.Connection, tenant: str, instance: str) -> int | None:
    """Return the seq up to which *instance* was told, or None when it never was."""
    query = sa.select(_C.seq).where(_C.tenant == tenant, _C.instance == instance)
    seq: int | None = connection.execute(query).scalar()
    return seq


def advance(connection: sa.Connection, tenant: str, instance: str, seq: int) -> None:
    """Set the place of *instance* to *seq*; it never moves back."""
    known = position(connection, tenant, instance)
    if known is None:
        connection.execute(
            sa.insert(hook_cursor).values(tenant=tenant, instance=instance, seq=seq)
        )
    elif seq > known:
        connection.execute(
            sa.update(hook_cursor)
            .where(_C.tenant == tenant, _C.instance == instance)
            .values(seq=seq)
        )


def bury(connection: sa.Connection, letter: DeadLetter) -> None:
    """Keep *letter* for an admin; an older one about the same event is replaced."""
    forget(connection, letter.tenant, letter.instance, letter.seq)
    values = {name: getattr(letter, name) for name in DeadLetter.__slots__}
    connection.execute(sa.insert(hook_dead).values(**values))


def dead(
    connection: sa.Connection, tenant: str, instance: str | None = None, limit: int = 200
) -> Sequence[DeadLetter]:
    """Return what was not taken, oldest first."""
    query = sa.select(hook_dead).where(_D.tenant == tenant).order_by(_D.seq).limit(limit)
    if instance is not None:
        query = query.where(_D.instance == instance)
    return [DeadLetter(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def forget(connection: sa.Connection, tenant: str, instance: str, seq: int) -> None:
    """Remove a letter that was taken after all."""
    connection.execute(
        sa.delete(hook_dead).where(_D.tenant == tenant, _D.instance == instance, _D.seq == seq)
    )
