"""The audit trail: who did what to which object, in a chain that shows what was changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from deskhub.ids import new_id
from deskhub.store.tables.actions import audit

# What the first row of a tenant follows.
NOTHING = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One deed. *what* is dotted (``action.completed``); *actor* is like ``agent:a_1``.

    *hash* covers the row and *prev_hash*, the row before: a row that is edited, removed or
    moved breaks the chain from there.
    """

    id: str
    at: datetime
    actor: str
    what: str
    object: str
    data: dict[str, Any]
    seq: int
    prev_hash: str
    hash: str


def record(
    connection: sa.Connection,
    tenant: str,
    at: datetime,
    *,
    actor: str,
    what: str,
    object_: str,
    data: dict[str, Any],
) -> str:
    """Write one row and return its id; it commits with the rest of the transaction."""
    last = connection.execute(
        sa.select(audit.c.seq, audit.c.hash)
        .where(audit.c.tenant == tenant)
        .order_by(audit.c.seq.desc())
        .limit(1)
    ).first()
    row: dict[str, Any] = {
        "id": new_id("u"),
        "at": at,
        "actor": actor,
        "what": what,
        "object": object_,
        "data": data,
        "seq": 1 if last is None else last.seq + 1,
        "prev_hash": NOTHING if last is None else last.hash,
    }
    row["hash"] = hash_of(tenant, row)
    connection.execute(audit.insert().values(tenant=tenant, **row))
    return str(row["id"])


def hash_of(tenant: str, row: Mapping[str, Any]) -> str:
    """Return SHA-256 over the previous hash and the row as canonical JSON."""
    told = {
        "tenant": tenant,
        # Whole milliseconds, which every database keeps.
        "at": int(row["at"].timestamp() * 1000),
        **{name: row[name] for name in ("id", "actor", "what", "object", "data", "seq")},
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{row['prev_hash']}{text}".encode()).hexdigest()


def trail(
    connection: sa.Connection,
    tenant: str,
    *,
    object_: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[AuditRow]:
    """Return the latest rows, newest first, of one *object_* or of the whole tenant.

    *before* is the ``seq`` of the last row of the page before.
    """
    query = sa.select(audit).where(audit.c.tenant == tenant)
    if object_ is not None:
        query = query.where(audit.c.object == object_)
    if before is not None:
        query = query.where(audit.c.seq < before)
    rows = connection.execute(query.order_by(audit.c.seq.desc()).limit(limit))
    return [_row(row) for row in rows]


def broken(connection: sa.Connection, tenant: str) -> int | None:
    """Return the ``seq`` of the first row that does not follow from the one before, or None.

    Rows cut off at the end leave no trace in the chain itself: compare the head's hash with
    the one that was logged.
    """
    query = sa.select(audit).where(audit.c.tenant == tenant).order_by(audit.c.seq)
    before, expected = NOTHING, 1
    for found in connection.execute(query):
        row = dict(found._mapping)  # noqa: SLF001  public in SQLAlchemy
        if row["seq"] != expected or row["prev_hash"] != before:
            return expected
        if hash_of(tenant, row) != row["hash"]:
            return expected
        before, expected = row["hash"], expected + 1
    return None


def head(connection: sa.Connection, tenant: str) -> tuple[int, str]:
    """Return how many rows there are and the last one's hash."""
    query = sa.select(audit.c.seq, audit.c.hash).where(audit.c.tenant == tenant)
    row = connection.execute(query.order_by(audit.c.seq.desc()).limit(1)).first()
    return (0, NOTHING) if row is None else (int(row.seq), str(row.hash))


def has(connection: sa.Connection, tenant: str, hash_: str) -> bool:
    """Return whether a row with *hash_* is part of the trail."""
    query = sa.select(audit.c.seq).where(audit.c.tenant == tenant, audit.c.hash == hash_)
    return connection.execute(query.limit(1)).first() is not None


def _row(row: sa.Row[Any]) -> AuditRow:
    return AuditRow(**{name: getattr(row, name) for name in AuditRow.__slots__})
