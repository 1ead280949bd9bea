"""Web push as rows: which browsers want to be told, and what each of them is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from deskhub.ids import new_id
from deskhub.store.sabotage import sabotaged
from deskhub.store.tables.chat import event, mark
from deskhub.store.tables.notify import push, push_device
from deskhub.store.tx import Connection, Tx

PushState = Literal["waiting", "handing", "sent", "failed", "unknown"]

# Somebody with more browsers than this has left some of them for good.
DEVICES_MAX = 5
_ENDED = ("sent", "failed", "unknown")

_P = push.c
_D = push_device.c


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that wants to be told; *owner* is ``visitor:…`` or ``agent:…``."""

    tenant: str
    id: str
    owner: str
    endpoint: str
    p256dh: str
    auth: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PushRow:
    """One notice for one browser. *next_at* is when it is due while it waits."""

    tenant: str
    id: str
    device: str
    conversation: str
    state: PushState
    until_seq: int
    attempts: int
    next_at: datetime
    error: str
    created_at: datetime


def keep(tx: Tx, device: Device) -> None:
    """Keep *device* in place of what was known of it; of too many the oldest goes."""
    forget(tx, device.id)
    values = {name: getattr(device, name) for name in Device.__slots__}
    tx.connection.execute(sa.insert(push_device).values(**values))
    for old in devices(tx.connection, tx.tenant, device.owner)[DEVICES_MAX:]:
        forget(tx, old.id)


def forget(tx: Tx, device: str) -> bool:
    """Forget a browser with all that it was to be told; return whether it was known."""
    connection = tx.connection
    connection.execute(
        sa.delete(push).where(
            _P.tenant == tx.tenant, _P.device == device, _P.state == "waiting"
        )
    )
    gone = sa.delete(push_device).where(_D.tenant == tx.tenant, _D.id == device)
    return connection.execute(gone).rowcount == 1


def device(connection: Connection, tenant: str, device_id: str) -> Device | None:
    """Return a browser, or None."""
    query = sa.select(push_device).where(_D.tenant == tenant, _D.id == device_id)
    row = connection.execute(query).first()
    return _device(row) if row else None


def devices(connection: Connection, tenant: str, owner: str) -> Sequence[Device]:
    """Return the browsers of *owner*, the newest first."""
    query = (
        sa.select(push_device)
        .where(_D.tenant == tenant, _D.owner == owner)
        .order_by(_D.at.desc(), _D.id)
    )
    return [_device(row) for row in connection.execute(query)]


def concerned(connection: Connection, tenant: str, owner: str | None) -> Sequence[str]:
    """Return the ids of the browsers of *owner*; with None, of all agents."""
    whose = (
        _D.owner.startswith("agent:", autoescape=True) if owner is None else _D.owner == owner
    )
    query = sa.select(_D.id).where(_D.tenant == tenant, whose).order_by(_D.id)
    return connection.execute(query).scalars().all()


def note(tx: Tx, device_id: str, conversation: str, seq: int, due_at: datetime) -> None:
    """Let the waiting notice of a browser cover the message *seq* too, or begin one."""
    where = (
        _P.tenant == tx.tenant, _P.device == device_id, _P.conversation == conversation,
        _P.state == "waiting",
    )  # fmt: skip
    connection = tx.connection
    row = connection.execute(sa.select(_P.id, _P.until_seq).where(*where)).first()
    if row is None:
        connection.execute(
            sa.insert(push).values(
                tenant=tx.tenant, id=new_id("pu"), device=device_id, conversation=conversation,
                state="waiting", until_seq=seq, attempts=0, next_at=due_at, error="",
                created_at=tx.now,
            )
        )  # fmt: skip
    elif seq > row.until_seq:
        connection.execute(sa.update(push).where(*_at(tx.tenant, row.id)).values(until_seq=seq))


def due(connection: Connection, tenant: str, now: datetime, limit: int) -> Sequence[PushRow]:
    """Return what waits and is due, the longest first."""
    query = (
        sa.select(push)
        .where(_P.tenant == tenant, _P.state == "waiting", _P.next_at <= now)
        .order_by(_P.next_at, _P.id)
        .limit(limit)
    )
    return [PushRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def next_due(connection: Connection, tenant: str) -> datetime | None:
    """Return when the next waiting notice is due, or None."""
    query = sa.select(sa.func.min(_P.next_at)).where(_P.tenant == tenant, _P.state == "waiting")
    found: datetime | None = connection.execute(query).scalar()
    return found


def listed(connection: Connection, tenant: str, states: Sequence[str]) -> Sequence[PushRow]:
    """Return the notices in *states*, oldest first."""
    query = (
        sa.select(push)
        .where(_P.tenant == tenant, _P.state.in_(list(states)))
        .order_by(_P.created_at, _P.id)
    )
    return [PushRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def hand_over(tx: Tx, row: PushRow) -> bool:
    """Say that *row* leaves now; false when it no longer waits as it was."""
    change = sa.update(push).where(
        *_at(tx.tenant, row.id), _P.state == "waiting", _P.attempts == row.attempts,
        _P.until_seq == row.until_seq,
    )  # fmt: skip
    return tx.connection.execute(change.values(state="handing")).rowcount == 1


def settle(
    tx: Tx, row: PushRow, state: PushState, error: str, next_at: datetime | None = None
) -> None:
    """Say how an attempt ended; *next_at* is when a notice that waits again is due."""
    connection = tx.connection
    if state == "waiting":
        _join(tx, row)
    values: dict[str, Any] = {
        "state": state,
        "error": error[:200],
        "attempts": row.attempts + 1,
    }
    if next_at is not None:
        values["next_at"] = next_at
    connection.execute(
        sa.update(push)
        .where(*_at(tx.tenant, row.id), _P.state.in_(("waiting", "handing")))
        .values(**values)
    )


def put_off(tx: Tx, row: PushRow, next_at: datetime) -> None:
    """Look at *row* again later; that is no attempt."""
    change = sa.update(push).where(*_at(tx.tenant, row.id), _P.state == "waiting")
    tx.connection.execute(change.values(next_at=next_at))


def drop(tx: Tx, push_id: str) -> None:
    """Forget a notice that has not left."""
    tx.connection.execute(
        sa.delete(push).where(*_at(tx.tenant, push_id), _P.state == "waiting")
    )


def abandoned(tx: Tx) -> int:
    """Give up what another process was handing over: it may have left; return how many."""
    change = sa.update(push).where(_P.tenant == tx.tenant, _P.state == "handing")
    state = "waiting" if sabotaged("push_again") else "unknown"
    return tx.connection.execute(change.values(state=state, error="interrupted")).rowcount


def forget_ended(tx: Tx, before: datetime) -> None:
    """Forget notices that were made before a moment and are not waiting."""
    tx.connection.execute(
        sa.delete(push).where(
            _P.tenant == tx.tenant, _P.state.in_(_ENDED), _P.created_at < before
        )
    )


def drop_of(tx: Tx, conversation: str) -> None:
    """Forget every notice of an erased conversation."""
    tx.connection.execute(
        sa.delete(push).where(_P.tenant == tx.tenant, _P.conversation == conversation)
    )


def restored(connection: Connection) -> None:
    """Give up what waited: it may have been sent after the backup was made."""
    change = sa.update(push).where(_P.state.in_(("waiting", "handing")))
    connection.execute(change.values(state="unknown", error="restored"))


def read_by(connection: Connection, tenant: str, agent: str, conversation: str) -> int:
    """Return how far an agent has read a conversation."""
    m = mark.c
    query = sa.select(m.seq).where(
        m.tenant == tenant, m.agent == agent, m.conversation == conversation
    )
    return int(connection.execute(query).scalar() or 0)


def said_at(connection: Connection, tenant: str, seq: int) -> dict[str, Any]:
    """Return the data of the event *seq*; empty when it is not there."""
    e = event.c
    data = connection.execute(
        sa.select(e.data).where(e.tenant == tenant, e.seq == seq)
    ).scalar()
    return dict(msgspec.json.decode(data)) if data else {}


def _join(tx: Tx, row: PushRow) -> None:
    """Take in what was noted for the same browser while *row* was on its way."""
    others = (
        _P.tenant == tx.tenant, _P.device == row.device, _P.conversation == row.conversation,
        _P.state == "waiting", _P.id != row.id,
    )  # fmt: skip
    newest = tx.connection.execute(sa.select(sa.func.max(_P.until_seq)).where(*others)).scalar()
    if newest is not None:
        tx.connection.execute(sa.delete(push).where(*others))
        tx.connection.execute(
            sa.update(push).where(*_at(tx.tenant, row.id)).values(until_seq=newest)
        )


def _at(tenant: str, push_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_P.tenant == tenant, _P.id == push_id)


def _device(row: sa.Row[Any]) -> Device:
    return Device(**row._mapping)  # noqa: SLF001  public in SQLAlchemy
