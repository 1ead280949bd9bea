"""What admins decide of an inbox while the hub runs; hub.toml says everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from deskhub.store import audit
from deskhub.store.tables.desk import inbox_setting
from deskhub.store.upsert import Upsert

if TYPE_CHECKING:
    # It is built on the batch, which asks here.
    from deskhub.store.tx import Tx

_S = inbox_setting.c
_PUT = Upsert(inbox_setting)


@dataclass(frozen=True, slots=True)
class Setting:
    """Whether an inbox asks how it was, and its form before a conversation, if it has one.

    *prechat* is the schema as an admin wrote it, which `deskhub.chat.forms` has taken.
    """

    asks_rating: bool = True
    prechat: Mapping[str, Any] | None = None


def asks_rating(connection: sa.Connection, tenant: str, inbox: str) -> bool:
    """Return whether customers of *inbox* are asked how it was."""
    query = sa.select(_S.asks_rating).where(_S.tenant == tenant, _S.inbox == inbox)
    found: bool | None = connection.execute(query).scalar()
    return found is not False


def setting(connection: sa.Connection, tenant: str, inbox: str) -> Setting:
    """Return what was decided of *inbox*."""
    query = sa.select(_S.asks_rating, _S.prechat)
    row = connection.execute(query.where(_S.tenant == tenant, _S.inbox == inbox)).first()
    return Setting() if row is None else Setting(row.asks_rating, row.prechat)


def settings(connection: sa.Connection, tenant: str) -> Mapping[str, Setting]:
    """Return what was decided, by inbox; one that is not there is as `Setting` begins."""
    query = sa.select(_S.inbox, _S.asks_rating, _S.prechat).where(_S.tenant == tenant)
    return {
        row.inbox: Setting(row.asks_rating, row.prechat) for row in connection.execute(query)
    }


def put(tx: Tx, inbox: str, by: str, *, asks: bool) -> None:
    """Let *inbox* ask for ratings or not, and write down who decided it."""
    now = setting(tx.connection, tx.tenant, inbox)
    if now.asks_rating == asks:
        return
    _write(tx, inbox, by, replace(now, asks_rating=asks), {"asks_rating": asks})


def put_prechat(tx: Tx, inbox: str, by: str, form: Mapping[str, Any] | None) -> None:
    """Let *inbox* ask *form* before a conversation, or nothing; write down who decided it."""
    now = setting(tx.connection, tx.tenant, inbox)
    if now.prechat == form:
        return
    _write(tx, inbox, by, replace(now, prechat=form), {"prechat": form})


def _write(tx: Tx, inbox: str, by: str, wanted: Setting, changed: dict[str, Any]) -> None:
    row = {
        "tenant": tx.tenant, "inbox": inbox, "asks_rating": wanted.asks_rating,
        "prechat": wanted.prechat,
    }  # fmt: skip
    tx.connection.execute(_PUT.on(tx.connection.dialect), row)
    audit.record(
        tx.connection, tx.tenant, tx.now, actor=by, what="inbox.changed",
        object_=f"inbox:{inbox}", data=changed,
    )  # fmt: skip
