"""Small durable values of adapters, by tenant, instance and key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from deskhub.store.store import Store
from deskhub.store.tables.hub import adapter_value

_V = adapter_value.c


class StoreKv:
    """Adapters' values in the hub's own database."""

    def __init__(self, store: Store) -> None:
        """Keep values in *store*."""
        self._store = store

    async def get(self, tenant: str, instance: str, key: str) -> bytes | None:
        """Return the value or None."""
        return await self._store.read(lambda connection: get(connection, tenant, instance, key))

    async def put(self, tenant: str, instance: str, key: str, value: bytes) -> None:
        """Store *value*; returns after the durable commit."""
        await self._store.transact(
            tenant, lambda tx: put(tx.connection, tenant, instance, key, value, tx.now)
        )

    async def delete(self, tenant: str, instance: str, key: str) -> None:
        """Remove *key* if it is there."""
        await self._store.transact(
            tenant, lambda tx: delete(tx.connection, tenant, instance, key)
        )


def get(connection: sa.Connection, tenant: str, instance: str, key: str) -> bytes | None:
    """Return the value of *key*, or None."""
    query = sa.select(_V.value).where(*_at(tenant, instance, key))
    value: bytes | None = connection.execute(query).scalar()
    return value


def newest(
    connection: sa.Connection, tenant: str, instance: str, limit: int
) -> Sequence[tuple[str, bytes]]:
    """Return (key, value) of at most *limit* values of *instance*, the last written first."""
    query = (
        sa.select(_V.key, _V.value)
        .where(_V.tenant == tenant, _V.instance == instance)
        .order_by(_V.at.desc(), _V.key)
        .limit(limit)
    )
    return [(row.key, row.value) for row in connection.execute(query)]


def forget_before(connection: sa.Connection, tenant: str, instance: str, at: datetime) -> None:
    """Remove every value of *instance* that was last written before *at*."""
    connection.execute(
        sa.delete(adapter_value).where(_V.tenant == tenant, _V.instance == instance, _V.at < at)
    )


def put(
    connection: sa.Connection,
    tenant: str,
    instance: str,
    key: str,
    value: bytes,
    now: datetime,
) -> None:
    """Write *value* under *key*."""
    change = sa.update(adapter_value).where(*_at(tenant, instance, key))
    if connection.execute(change.values(value=value, at=now)).rowcount == 0:
        connection.execute(
            sa.insert(adapter_value).values(
                tenant=tenant, instance=instance, key=key, value=value, at=now
            )
        )


def delete(connection: sa.Connection, tenant: str, instance: str, key: str) -> None:
    """Remove *key*."""
    connection.execute(sa.delete(adapter_value).where(*_at(tenant, instance, key)))


def _at(tenant: str, instance: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_V.tenant == tenant, _V.instance == instance, _V.key == key)
