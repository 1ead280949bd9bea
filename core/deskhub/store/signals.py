"""Signals from their arrival to their effect, versions of objects, and cards kept for later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from deskhub.store.sabotage import sabotaged
from deskhub.store.tables import chat
from deskhub.store.tables.customers import merged_customer
from deskhub.store.tables.hub import kept_card, object_version, signal

State = Literal["pending", "done", "stale", "dead"]
Taken = Literal["new", "repeated", "conflict"]

_S = signal.c
_O = object_version.c
_K = kept_card.c


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A stored signal. *body* is the signal itself as JSON."""

    tenant: str
    instance: str
    dedupe: str
    digest: bytes
    object: str
    body: bytes
    received_at: datetime
    state: State
    attempts: int
    next_at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class KeptCard:
    """A card that waits for its customer's next conversation."""

    tenant: str
    subject: str
    instance: str
    object: str
    version: int
    kind: str
    card: bytes
    audience: Literal["agent", "customer", "both"]
    source: str
    at: datetime


def take(connection: sa.Connection, row: SignalRow) -> Taken:
    """Store *row* unless its id is known; say whether the known one is the same fact."""
    query = sa.select(_S.digest).where(*_is(row.tenant, row.instance, row.dedupe))
    known = connection.execute(query).scalar()
    if known is not None:
        return "repeated" if known == row.digest else "conflict"
    values = {name: getattr(row, name) for name in SignalRow.__slots__}
    connection.execute(sa.insert(signal).values(**values))
    return "new"


def due(
    connection: sa.Connection, now: datetime, busy: Collection[str] = (), limit: int = 200
) -> Sequence[SignalRow]:
    """Return the signals to be routed now, in the order they came, but of *busy* instances."""
    query = (
        sa.select(signal)
        .where(_S.state == "pending", _S.next_at <= now, _S.instance.not_in(list(busy)))
        .order_by(_S.received_at, _S.tenant, _S.instance, _S.dedupe)
        .limit(limit)
    )
    return [SignalRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def next_due(connection: sa.Connection, busy: Collection[str] = ()) -> datetime | None:
    """Return when the earliest pending signal but of *busy* instances is tried, or None."""
    query = (
        sa.select(_S.next_at)
        .where(_S.state == "pending", _S.instance.not_in(list(busy)))
        .order_by(_S.next_at)
        .limit(1)
    )
    moment: datetime | None = connection.execute(query).scalar()
    return moment


def is_pending(connection: sa.Connection, row: SignalRow) -> bool:
    """Return whether nobody has routed *row* yet."""
    query = sa.select(_S.state).where(*_is(row.tenant, row.instance, row.dedupe))
    return connection.execute(query).scalar() == "pending"


def settle(connection: sa.Connection, row: SignalRow, state: State, error: str = "") -> None:
    """Say how *row* ended, unless it has ended already: another process may be quicker."""
    connection.execute(
        sa.update(signal)
        .where(*_is(row.tenant, row.instance, row.dedupe), _S.state == "pending")
        .values(state=state, error=error)
    )


def postpone(connection: sa.Connection, row: SignalRow, next_at: datetime, error: str) -> None:
    """Count a failed attempt of *row* and say when the next one is."""
    connection.execute(
        sa.update(signal)
        .where(*_is(row.tenant, row.instance, row.dedupe), _S.state == "pending")
        .values(attempts=row.attempts + 1, next_at=next_at, error=error)
    )


def dead(connection: sa.Connection, tenant: str, limit: int = 200) -> Sequence[SignalRow]:
    """Return the tenant's signals that were given up, oldest first."""
    query = (
        sa.select(signal)
        .where(_S.tenant == tenant, _S.state == "dead")
        .order_by(_S.received_at)
        .limit(limit)
    )
    return [SignalRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def listed(
    connection: sa.Connection, tenant: str, states: Collection[str], limit: int = 200
) -> Sequence[SignalRow]:
    """Return the tenant's signals in *states*, newest first, of whichever instance."""
    query = (
        sa.select(signal)
        .where(_S.tenant == tenant, _S.state.in_(list(states)))
        .order_by(_S.received_at.desc(), _S.instance, _S.dedupe)
        .limit(limit)
    )
    return [SignalRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def recent(
    connection: sa.Connection, tenant: str, instance: str, limit: int = 50
) -> Sequence[SignalRow]:
    """Return the latest signals of *instance*, newest first, however they ended."""
    query = (
        sa.select(signal)
        .where(_S.tenant == tenant, _S.instance == instance)
        .order_by(_S.received_at.desc(), _S.dedupe)
        .limit(limit)
    )
    return [SignalRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def revive(
    connection: sa.Connection, tenant: str, instance: str, dedupe: str, now: datetime
) -> bool:
    """Give a dead signal all its attempts again; return whether there was one."""
    done = connection.execute(
        sa.update(signal)
        .where(*_is(tenant, instance, dedupe), _S.state == "dead")
        .values(state="pending", attempts=0, next_at=now)
    )
    return done.rowcount > 0


def sweep(connection: sa.Connection, tenant: str, before: datetime) -> int:
    """Delete what ended before *before* and kept cards as old; return how many rows."""
    old = sa.delete(signal).where(
        _S.tenant == tenant, _S.state.in_(("done", "stale")), _S.received_at < before
    )
    cards = sa.delete(kept_card).where(_K.tenant == tenant, _K.at < before)
    return connection.execute(old).rowcount + connection.execute(cards).rowcount


def newer(
    connection: sa.Connection, tenant: str, instance: str, thing: str, at: tuple[int, int]
) -> bool:
    """Note (version, rank) *at* of *thing*; return False when one as new is known."""
    where = (_O.tenant == tenant, _O.instance == instance, _O.object == thing)
    known = known_version(connection, tenant, instance, thing)
    version, rank = at
    if known is None:
        connection.execute(
            sa.insert(object_version).values(
                tenant=tenant, instance=instance, object=thing, version=version, rank=rank
            )
        )
        return True
    if not sabotaged("versions_ignored") and at <= known:
        return False
    connection.execute(
        sa.update(object_version).where(*where).values(version=version, rank=rank)
    )
    return True


def known_version(
    connection: sa.Connection, tenant: str, instance: str, thing: str
) -> tuple[int, int] | None:
    """Return (version, rank) that is known of *thing*, or None."""
    row = connection.execute(
        sa.select(_O.version, _O.rank).where(
            _O.tenant == tenant, _O.instance == instance, _O.object == thing
        )
    ).first()
    return None if row is None else (int(row.version), int(row.rank))


def open_conversations(
    connection: sa.Connection, tenant: str, subjects: Collection[str]
) -> dict[str, list[str]]:
    """Return the conversations of each subject that are not closed, oldest first."""
    found: dict[str, list[str]] = {subject: [] for subject in subjects}
    c = chat.conversation.c
    # Who was merged goes on getting signals under the old number.
    m = merged_customer.c
    today = (
        sa.select(
            chat.customer.c.subject, sa.func.coalesce(m.became, chat.customer.c.id).label("id")
        )
        .outerjoin(
            merged_customer,
            sa.and_(m.tenant == chat.customer.c.tenant, m.customer == chat.customer.c.id),
        )
        .where(chat.customer.c.tenant == tenant, chat.customer.c.subject.in_(sorted(subjects)))
        .subquery()
    )
    query = (
        sa.select(today.c.subject, c.id)
        .join(today, today.c.id == c.customer)
        .where(
            c.tenant == tenant,
            c.state != "closed",
        )
        .order_by(c.opened_at, c.id)
    )
    for row in connection.execute(query):
        found[row.subject].append(row.id)
    return found


def subject_of(connection: sa.Connection, tenant: str, customer: str) -> str | None:
    """Return the shop's number of a customer."""
    query = sa.select(chat.customer.c.subject).where(
        chat.customer.c.tenant == tenant, chat.customer.c.id == customer
    )
    subject: str | None = connection.execute(query).scalar()
    return subject


def keep(connection: sa.Connection, card: KeptCard) -> None:
    """Keep *card* in place of an older one about the same object."""
    drop_kept(connection, card.tenant, card.subject, card.instance, card.object)
    values = {name: getattr(card, name) for name in KeptCard.__slots__}
    connection.execute(sa.insert(kept_card).values(**values))


def drop_kept(
    connection: sa.Connection, tenant: str, subject: str, instance: str, thing: str
) -> None:
    """Keep nothing about *thing* for *subject* any longer."""
    connection.execute(
        sa.delete(kept_card).where(
            _K.tenant == tenant,
            _K.subject == subject,
            _K.instance == instance,
            _K.object == thing,
        )
    )


def claim(connection: sa.Connection, tenant: str, subject: str) -> Sequence[KeptCard]:
    """Return the cards kept for *subject*, oldest first, and keep them no longer."""
    where = (_K.tenant == tenant, _K.subject == subject)
    rows = connection.execute(sa.select(kept_card).where(*where).order_by(_K.at)).all()
    if rows:
        connection.execute(sa.delete(kept_card).where(*where))
    return [KeptCard(**row._mapping) for row in rows]  # noqa: SLF001  public in SQLAlchemy


def _is(tenant: str, instance: str, dedupe: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_S.tenant == tenant, _S.instance == instance, _S.dedupe == dedupe)
