"""Who is told of what: subscriptions as rows. Their secrets are encrypted by whoever calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from deskhub.store.tables.subscriptions import delivery, delivery_attempt, subscription
from deskhub.store.tx import Connection, Tx

SubscriptionState = Literal["active", "disabled"]
Why = Literal["", "admin", "gone", "full"]
# Every kind of event.
ALL = "*"

_S = subscription.c
_D = delivery.c


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """One address that is told; *kinds* are the events, or ``*``. Secrets are encrypted."""

    tenant: str
    id: str
    name: str
    url: str
    kinds: Sequence[str]
    state: SubscriptionState
    why: Why
    secret: str
    old_secret: str
    old_until: datetime | None
    from_seq: int
    by: str
    created_at: datetime
    failing_since: datetime | None = None

    def wants(self, kind: str, seq: int) -> bool:
        """Return whether it is told of the event *seq* of *kind*."""
        return seq > self.from_seq and (ALL in self.kinds or kind in self.kinds)


def add(tx: Tx, row: SubscriptionRow) -> None:
    """Store a new subscription."""
    values: dict[str, Any] = {name: getattr(row, name) for name in SubscriptionRow.__slots__}
    tx.connection.execute(sa.insert(subscription).values(**values))


def change(tx: Tx, id_: str, **values: Any) -> bool:  # noqa: ANN401  columns
    """Write columns of a subscription; return whether there is one."""
    where = (_S.tenant == tx.tenant, _S.id == id_)
    done = tx.connection.execute(sa.update(subscription).where(*where).values(**values))
    return done.rowcount > 0


def remove(tx: Tx, id_: str) -> bool:
    """Forget a subscription with its deliveries; return whether there was one."""
    own = sa.select(_D.id).where(_D.tenant == tx.tenant, _D.subscription == id_)
    a = delivery_attempt.c
    tx.connection.execute(
        sa.delete(delivery_attempt).where(a.tenant == tx.tenant, a.delivery.in_(own))
    )
    tx.connection.execute(
        sa.delete(delivery).where(_D.tenant == tx.tenant, _D.subscription == id_)
    )
    where = (_S.tenant == tx.tenant, _S.id == id_)
    return tx.connection.execute(sa.delete(subscription).where(*where)).rowcount > 0


def get(connection: Connection, tenant: str, id_: str) -> SubscriptionRow | None:
    """Return one subscription."""
    query = sa.select(subscription).where(_S.tenant == tenant, _S.id == id_)
    row = connection.execute(query).first()
    return None if row is None else SubscriptionRow(**row._mapping)  # noqa: SLF001  public in SQLAlchemy


def listed(connection: Connection, tenant: str) -> Sequence[SubscriptionRow]:
    """Return every subscription of *tenant*, the oldest first."""
    query = sa.select(subscription).where(_S.tenant == tenant).order_by(_S.created_at, _S.id)
    return [SubscriptionRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def active(connection: Connection, tenant: str) -> Sequence[SubscriptionRow]:
    """Return the subscriptions that are told of events now."""
    return [row for row in listed(connection, tenant) if row.state == "active"]
