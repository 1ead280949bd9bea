"""Forgetting one customer: the durable marker, and what is overwritten beside conversations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.errors import Conflict, HubError, Invalid
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store import audit, elsewhere, erased, mail_data, people, prechat, push_data
from deskhub.store.elsewhere import Elsewhere
from deskhub.store.tables import chat as t
from deskhub.store.tables import hub as h
from deskhub.store.tables import identity as i
from deskhub.store.tables.customers import customer_merge, erasure
from deskhub.store.tx import Tx

# Rows that are read at a time while looking for a person's name in systems' messages.
PAGE = 500
HUBS_OWN = "~"

_R = erasure.c


class EraseBlocked(HubError):
    """An action of this customer has not ended: it needs the data that would go."""

    code = "erase_blocked"
    status = 409
    retry = "never"
    text = "An action of this customer has not ended. Finish or undo it first, then erase."


class EraseUnconfirmed(Invalid):
    """Whoever asked typed another name: this may be the wrong customer."""

    code = "erase_unconfirmed"
    text = "What was typed is neither this customer's name nor their number."


@dataclass(frozen=True, slots=True)
class Erasure:
    """The marker of one erasure. *state* is running, written or done."""

    tenant: str
    customer: str
    state: str
    by: str
    at: datetime
    ended_at: datetime | None
    conversations: int
    files: int

    def view(self, found: Elsewhere | None) -> dict[str, Any]:
        """Return it as clients read it, with what systems answered so far."""
        return {
            "customer": self.customer,
            "state": "done" if self.state == "done" else "running",
            "by": self.by,
            "at": rfc3339(self.at),
            "ended_at": rfc3339(self.ended_at) if self.ended_at else None,
            "conversations": self.conversations,
            "files": self.files,
            "systems": [one.view() for one in found.systems] if found else [],
        }


@dataclass(frozen=True, slots=True)
class Mentions:
    """Keys of rows from business systems that hold a person's data, and whose."""

    signals: Sequence[tuple[str, str]]
    values: Sequence[tuple[str, str]]


def begin(tx: Tx, principal: Principal, customer: str, confirm: str) -> Erasure:
    """Write the marker and end the customer's access; return the marker, also a known one.

    Raises `NotFound`, `Forbidden`, `EraseUnconfirmed` when *confirm* is neither the
    customer's name nor number, `Conflict` for one that was merged, and `EraseBlocked`.
    """
    person = people.person(tx.connection, principal, Permission.CUSTOMER_ADMIN, customer)
    known = load(tx.connection, tx.tenant, customer)
    if known is not None:
        return known
    if people.became(tx.connection, tx.tenant, customer) != customer:
        raise Conflict(f"customer {customer} was merged into another one")
    if confirm.strip() not in person.names:
        problem = {"path": "confirm", "code": "mismatch", "text": EraseUnconfirmed.text}
        raise EraseUnconfirmed(fields=(problem,))
    runs = erased.runs_of(tx.connection, tx.tenant, person.conversations, person.ids)
    if busy := erased.unfinished(tx.connection, tx.tenant, runs):
        raise EraseBlocked(f"runs {busy}")
    marker = Erasure(tx.tenant, customer, "running", principal.by, tx.now, None, 0, 0)
    values = {name: getattr(marker, name) for name in Erasure.__slots__}
    tx.connection.execute(sa.insert(erasure).values(**values))
    lock_out(tx, person.visitors)
    _audit(tx, principal.by, "customer.erase_begun", customer, {})
    return marker


def load(connection: sa.Connection, tenant: str, customer: str) -> Erasure | None:
    """Return the marker of *customer*'s erasure, or None."""
    query = sa.select(erasure).where(_R.tenant == tenant, _R.customer == customer)
    row = connection.execute(query).first()
    return None if row is None else Erasure(**row._mapping)  # noqa: SLF001  public in SQLAlchemy


def told(connection: sa.Connection, tenant: str, customer: str) -> dict[str, Any] | None:
    """Return the erasure of *customer* as clients read it, or None."""
    marker = load(connection, tenant, customer)
    if marker is None:
        return None
    return marker.view(elsewhere.load(connection, tenant, customer))


def unended(connection: sa.Connection) -> Sequence[Erasure]:
    """Return every erasure that has not ended, oldest first."""
    query = sa.select(erasure).where(_R.state != "done").order_by(_R.at)
    return [Erasure(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def lock_out(tx: Tx, visitors: Collection[str]) -> None:
    """End every session of *visitors*: nothing is added to what is being erased."""
    v, token = i.visitor.c, i.visitor_token.c
    own = list(visitors)
    tx.connection.execute(
        sa.delete(i.visitor_token).where(token.tenant == tx.tenant, token.visitor.in_(own))
    )
    tx.connection.execute(
        sa.update(i.visitor)
        .where(v.tenant == tx.tenant, v.id.in_(own))
        .values(version=v.version + 1)
    )


def finish(
    tx: Tx,
    marker: Erasure,
    person: people.Person,
    mentions: Mentions,
    counts: Mapping[str, int],
) -> None:
    """Overwrite everything that is left of *person*, and say so; once."""
    now = load(tx.connection, tx.tenant, marker.customer)
    if now is None or now.state != "running":
        return
    lock_out(tx, person.visitors)
    _forget_rows(tx, person)
    _forget_mentions(tx, mentions)
    runs = erased.runs_of(tx.connection, tx.tenant, person.conversations, person.ids)
    erased.scrub_runs(tx.connection, tx.tenant, runs)
    _audit(
        tx, marker.by, "customer.erased", marker.customer, {**counts, "runs_kept": len(runs)}
    )
    _mark(tx, marker.customer, state="written", **counts)


def end(tx: Tx, customer: str) -> None:
    """Say that no file holds the old bytes any more; the first time counts."""
    tx.connection.execute(
        sa.update(erasure)
        .where(_R.tenant == tx.tenant, _R.customer == customer, _R.state == "written")
        .values(state="done", ended_at=tx.now)
    )


def mentions(connection: sa.Connection, tenant: str, rows: Sequence[Any]) -> Mentions:
    """Find what business systems told of whom *rows* name, in signals and adapters' values."""
    needles = {
        value
        for row in rows
        for value in (row.subject, row.name, row.email, row.phone)
        if value
    }
    s, v = h.signal.c, h.adapter_value.c
    signals = [
        (row.instance, row.dedupe)
        for row in _paged(connection, h.signal, (s.instance, s.dedupe), tenant)
        if _says(row.body, needles)
    ]
    values = [
        (row.instance, row.key)
        for row in _paged(connection, h.adapter_value, (v.instance, v.key), tenant)
        # The hub's own values are no adapter's; whom systems are told of is one of them.
        if not row.instance.startswith(HUBS_OWN)
        and (_says(row.value, needles) or any(needle in row.key for needle in needles))
    ]
    return Mentions(signals, values)


def _paged(
    connection: sa.Connection,
    table: sa.Table,
    keys: tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]],
    tenant: str,
) -> Iterator[Any]:
    last: tuple[str, str] | None = None
    while True:
        query = sa.select(table).where(table.c.tenant == tenant).order_by(*keys).limit(PAGE)
        if last is not None:
            first, second = keys
            query = query.where((first > last[0]) | ((first == last[0]) & (second > last[1])))
        found = connection.execute(query).all()
        yield from found
        if len(found) < PAGE:
            return
        last = (found[-1].instance, getattr(found[-1], str(keys[1].key)))


def _says(stored: bytes, needles: Collection[str]) -> bool:
    """Return whether a text in *stored* is one of *needles*."""
    try:
        return _is_in(orjson.loads(stored), needles)
    except orjson.JSONDecodeError:
        text = stored.decode("utf-8", "replace")
        return any(needle in text for needle in needles)


def _is_in(value: object, needles: Collection[str]) -> bool:
    if isinstance(value, dict):
        return any(_is_in(one, needles) for one in value.values())
    if isinstance(value, list):
        return any(_is_in(one, needles) for one in value)
    return isinstance(value, str) and value in needles


def _forget_rows(tx: Tx, person: people.Person) -> None:
    db, tenant = tx.connection, tx.tenant
    records = people.records(db, tenant, person.ids)
    subjects = [row.subject for row in records if row.subject]
    addresses = [row.email for row in records if row.email]
    mail_data.forget_people(db, tenant, person.visitors, addresses)
    push_data.forget_people(db, tenant, person.visitors)
    prechat.drop(db, tenant, person.visitors)
    kept, merge = h.kept_card, customer_merge
    db.execute(sa.delete(kept).where(kept.c.tenant == tenant, kept.c.subject.in_(subjects)))
    db.execute(
        sa.update(t.customer)
        .where(t.customer.c.tenant == tenant, t.customer.c.id.in_(person.ids))
        .values(
            subject=None, name=None, email=None, phone=None, language=None, tags=[], external={}
        )
    )
    db.execute(
        sa.update(i.visitor)
        .where(i.visitor.c.tenant == tenant, i.visitor.c.id.in_(person.visitors))
        .values(subject=None, name=None, language=None)
    )
    db.execute(
        sa.update(merge)
        .where(merge.c.tenant == tenant, merge.c.kept.in_(person.ids))
        .values(before={}, moved={})
    )


def _forget_mentions(tx: Tx, found: Mentions) -> None:
    """Blank signals, whose ids still tell a repetition, and drop adapters' values."""
    s, v = h.signal.c, h.adapter_value.c
    for instance, dedupe in found.signals:
        here = (s.tenant == tx.tenant, s.instance == instance, s.dedupe == dedupe)
        tx.connection.execute(
            sa.update(h.signal).where(*here).values(body=b"{}", error="", state="stale")
        )
    for instance, key in found.values:
        here = (v.tenant == tx.tenant, v.instance == instance, v.key == key)
        tx.connection.execute(sa.delete(h.adapter_value).where(*here))


def _mark(tx: Tx, customer: str, **values: object) -> None:
    tx.connection.execute(
        sa.update(erasure)
        .where(_R.tenant == tx.tenant, _R.customer == customer)
        .values(**values)
    )


def _audit(tx: Tx, actor: str, what: str, customer: str, data: dict[str, Any]) -> None:
    audit.record(
        tx.connection, tx.tenant, tx.now, actor=actor, what=what,
        object_=f"customer:{customer}", data=data,
    )  # fmt: skip
