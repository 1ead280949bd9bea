"""Follows every tenant's log and keeps the stretches up with it, off the messages' way."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from deskhub.store import log as event_log
from deskhub.store.event import Event
from deskhub.store.follower import Follower
from deskhub.store.reports.stretches import KINDS, Stretch, folded
from deskhub.store.store import Store
from deskhub.store.tables.reports import report_place, stretch
from deskhub.store.tx import Connection, Tx
from deskhub.store.upsert import Upsert

log = logging.getLogger("deskhub.store")

# One page goes through the messages' writer at once.
PAGE = 200
# Reports catch up before they are read; until then many events share one transaction.
PACE_S = 5.0
AGAIN_S = 10.0

_S = stretch.c
_P = report_place.c
_PUT = Upsert(stretch)
_PLACE = Upsert(report_place)


class Reports(Follower):
    """Keeps the stretches. Several processes take turns by place."""

    def __init__(self, store: Store, *, pace_s: float = PACE_S) -> None:
        """Follow *store*'s logs."""
        super().__init__(store, what="reports", page=PAGE, pace_s=pace_s, again_s=AGAIN_S)

    async def _begin(self, tenant: str) -> tuple[str, int]:
        """Stretches of another log, as after a restore, are made anew."""

        def look(db: Connection) -> tuple[tuple[str, int], tuple[str, int] | None]:
            return event_log.position(db, tenant), place(db, tenant)

        (epoch, head), known = await self._store.read(look)
        if known is not None and known[0] == epoch and known[1] <= head:
            return known
        if not epoch:
            return "", 0
        await self._store.transact(tenant, lambda tx: _wipe(tx, epoch))
        log.info("reports_begun", extra={"tenant": tenant, "events": head})
        return epoch, 0

    async def _take(self, tenant: str, epoch: str, after: int, events: Sequence[Event]) -> bool:
        """Write what *events* changed."""

        def work(tx: Tx) -> bool:
            if place(tx.connection, tenant) != (epoch, after):
                return False
            told = [one for one in events if one.kind in KINDS]
            latest = _latest(tx.connection, tenant, {one.conversation or "" for one in told})
            changed = [_row(tenant, one) for one in folded(latest, told)]
            if changed:
                tx.connection.execute(_PUT.on(tx.connection.dialect), changed)
            _set_place(tx.connection, tenant, epoch, events[-1].seq)
            return True

        return await self._store.transact(tenant, work)


def place(connection: sa.Connection, tenant: str) -> tuple[str, int] | None:
    """Return (epoch, seq) up to which *tenant*'s stretches are made, or None."""
    row = connection.execute(sa.select(_P.epoch, _P.seq).where(_P.tenant == tenant)).first()
    return (row.epoch, row.seq) if row else None


def _wipe(tx: Tx, epoch: str) -> None:
    tx.connection.execute(sa.delete(stretch).where(_S.tenant == tx.tenant))
    _set_place(tx.connection, tx.tenant, epoch, 0)


def _set_place(connection: sa.Connection, tenant: str, epoch: str, seq: int) -> None:
    connection.execute(
        _PLACE.on(connection.dialect), {"tenant": tenant, "epoch": epoch, "seq": seq}
    )


def _latest(
    connection: sa.Connection, tenant: str, conversations: set[str]
) -> Mapping[str, Stretch]:
    last = (
        sa.select(_S.conversation, sa.func.max(_S.seq).label("seq"))
        .where(_S.tenant == tenant, _S.conversation.in_(sorted(conversations)))
        .group_by(_S.conversation)
        .subquery()
    )
    columns = [_S[name] for name in Stretch.__slots__]
    query = (
        sa.select(*columns)
        .join(last, sa.and_(_S.conversation == last.c.conversation, _S.seq == last.c.seq))
        .where(_S.tenant == tenant)
    )
    return {row.conversation: Stretch(*row) for row in connection.execute(query)}


def _row(tenant: str, one: Stretch) -> dict[str, Any]:
    return {"tenant": tenant} | {name: getattr(one, name) for name in Stretch.__slots__}
