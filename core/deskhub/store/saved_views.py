"""Views of the inbox that agents keep under a name, for themselves or for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from deskhub.errors import Forbidden, NotFound, TooLarge
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, allowed, authorize
from deskhub.ids import new_id
from deskhub.store.tables.desk import saved_view
from deskhub.store.tx import Tx

OF_ONE_MAX = 50
SHOWN_MAX = 200

_V = saved_view.c


def seen_by(connection: sa.Connection, principal: Principal) -> Sequence[dict[str, Any]]:
    """Return the caller's views and those that are shared, by name."""
    authorize(principal, Permission.CONVERSATION_LIST, Scope(principal.tenant))
    query = (
        sa.select(saved_view)
        .where(_V.tenant == principal.tenant, (_V.owner == principal.id) | _V.is_shared)
        .order_by(_V.name, _V.id)
        .limit(SHOWN_MAX)
    )
    return [_view(row, principal) for row in connection.execute(query)]


def add(
    tx: Tx, principal: Principal, name: str, address: str, *, is_shared: bool
) -> dict[str, Any]:
    """Keep *address* as *name*; a view of the caller with that name is replaced.

    Raises `TooLarge` beyond 50 views.
    """
    authorize(principal, Permission.CONVERSATION_LIST, Scope(principal.tenant))
    mine = (_V.tenant == principal.tenant, _V.owner == principal.id)
    tx.connection.execute(sa.delete(saved_view).where(*mine, _V.name == name))
    counted = sa.select(sa.func.count()).select_from(saved_view).where(*mine)
    if tx.connection.execute(counted).scalar_one() >= OF_ONE_MAX:
        raise TooLarge(f"{OF_ONE_MAX} saved views")
    row = {
        "tenant": principal.tenant, "id": new_id("w"), "owner": principal.id, "name": name,
        "address": address, "is_shared": is_shared, "created_at": tx.now,
    }  # fmt: skip
    tx.connection.execute(sa.insert(saved_view).values(**row))
    query = sa.select(saved_view).where(_V.tenant == principal.tenant, _V.id == row["id"])
    return _view(tx.connection.execute(query).one(), principal)


def remove(tx: Tx, principal: Principal, view: str) -> None:
    """Remove a view: one's own, or as an admin a shared one. Raises `NotFound`, `Forbidden`."""
    authorize(principal, Permission.CONVERSATION_LIST, Scope(principal.tenant))
    query = sa.select(saved_view).where(_V.tenant == principal.tenant, _V.id == view)
    row = tx.connection.execute(query).first()
    if row is None or (row.owner != principal.id and not row.is_shared):
        raise NotFound(f"view {view}")
    if row.owner != principal.id and Permission.USER_ADMIN not in allowed(principal):
        raise Forbidden(f"{principal.by} may not remove {view}")
    tx.connection.execute(
        sa.delete(saved_view).where(_V.tenant == principal.tenant, _V.id == view)
    )


def _view(row: sa.Row[Any], principal: Principal) -> dict[str, Any]:
    is_mine = row.owner == principal.id
    return {
        "id": row.id,
        "name": row.name,
        "address": row.address,
        "shared": row.is_shared,
        "mine": is_mine,
        "removable": is_mine or Permission.USER_ADMIN in allowed(principal),
    }
