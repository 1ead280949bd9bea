"""Mail as rows: what is due, what was handed over, what a person has to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from deskhub.ids import new_id
from deskhub.store import edits
from deskhub.store.tables.chat import event
from deskhub.store.tables.notify import mail, mail_contact, mail_stop
from deskhub.store.tx import Connection, Tx

MailKind = Literal["answers", "transcript", "reply"]
MailState = Literal["waiting", "handing", "sent", "failed", "unknown"]

# What the hub itself mails, and what leaves over a channel.
OWN: tuple[MailKind, ...] = ("answers", "transcript")
REPLIES: tuple[MailKind, ...] = ("reply",)
# What a person has to look at: refused for good, or perhaps taken.
DEAD: tuple[MailState, ...] = ("failed", "unknown")
LIST_MAX = 200
LINES_MAX = 1_000

_M = mail.c
_E = event.c


@dataclass(frozen=True, slots=True)
class MailRow:
    """One mail. *next_at* is when it is due while it waits."""

    tenant: str
    id: str
    kind: MailKind
    conversation: str
    state: MailState
    address: str
    from_seq: int
    until_seq: int
    attempts: int
    next_at: datetime
    error: str
    created_at: datetime
    sent_at: datetime | None = None


def note_answer(
    tx: Tx, conversation: str, seq: int, due_at: datetime, last_at: timedelta
) -> None:
    """Let the waiting mail of *conversation* hold the answer *seq* too, or begin one.

    Each answer puts the mail off to *due_at*, but never further than *last_at* after its
    first one. An answer that the mail has already changes nothing.
    """
    where = (*_of(tx.tenant, conversation), _M.kind == "answers", _M.state == "waiting")
    row = tx.connection.execute(sa.select(mail).where(*where)).first()
    if row is None:
        _insert(tx, "answers", conversation, "", (seq, seq), due_at)
    elif seq > row.until_seq:
        values: dict[str, Any] = {"until_seq": seq}
        if row.attempts == 0:
            values["next_at"] = max(row.next_at, min(due_at, row.created_at + last_at))
        tx.connection.execute(sa.update(mail).where(*_at(tx.tenant, row.id)).values(**values))


def note_reply(tx: Tx, conversation: str, seq: int) -> None:
    """Let the answer *seq* leave over the conversation's channel, as soon as it can."""
    _insert(tx, "reply", conversation, "", (seq, seq), tx.now)


def request_transcript(tx: Tx, conversation: str, address: str, until: int) -> MailRow:
    """Return a mail with everything said up to *until*; the same again is the same mail."""
    where = (
        *_of(tx.tenant, conversation), _M.kind == "transcript", _M.address == address,
        _M.until_seq == until, _M.state.not_in(DEAD),
    )  # fmt: skip
    row = tx.connection.execute(sa.select(mail).where(*where)).first()
    if row is not None:
        return _mail(row)
    id_ = _insert(tx, "transcript", conversation, address, (0, until), tx.now)
    return _mail(tx.connection.execute(sa.select(mail).where(*_at(tx.tenant, id_))).one())


def transcripts_since(connection: Connection, tenant: str, of: str, since: datetime) -> int:
    """Return how many transcripts of a conversation were asked for since a moment."""
    count = sa.select(sa.func.count()).where(
        *_of(tenant, of), _M.kind == "transcript", _M.created_at >= since
    )
    return int(connection.execute(count).scalar() or 0)


def due(
    connection: Connection, tenant: str, kinds: Sequence[MailKind], now: datetime, limit: int
) -> Sequence[MailRow]:
    """Return what of *kinds* waits and is due, the longest first."""
    query = (
        sa.select(mail)
        .where(
            _M.tenant == tenant, _M.kind.in_(list(kinds)), _M.state == "waiting",
            _M.next_at <= now,
        )
        .order_by(_M.next_at, _M.id)
        .limit(limit)
    )  # fmt: skip
    return [_mail(row) for row in connection.execute(query)]


def next_due(connection: Connection, tenant: str, kinds: Sequence[MailKind]) -> datetime | None:
    """Return when the next waiting mail of *kinds* is due, or None."""
    query = (
        sa.select(_M.next_at)
        .where(_M.tenant == tenant, _M.kind.in_(list(kinds)), _M.state == "waiting")
        .order_by(_M.next_at)
        .limit(1)
    )
    found: datetime | None = connection.execute(query).scalar()
    return found


def hand_over(tx: Tx, row: MailRow, address: str) -> bool:
    """Say that *row* leaves now, to *address*; false when it no longer waits as it was."""
    change = sa.update(mail).where(
        *_at(tx.tenant, row.id), _M.state == "waiting", _M.attempts == row.attempts,
        _M.until_seq == row.until_seq,
    ).values(state="handing", address=address)  # fmt: skip
    return tx.connection.execute(change).rowcount == 1


def sent(tx: Tx, mail_id: str) -> None:
    """Say that the server took it, also when it was already given up as unknown."""
    tx.connection.execute(
        sa.update(mail)
        .where(*_at(tx.tenant, mail_id))
        .values(state="sent", sent_at=tx.now, error="")
    )


def came_back(tx: Tx, mail_id: str, conversation: str, error: str) -> bool:
    """Say that a mail which left came back; return whether it is one of *conversation*."""
    change = sa.update(mail).where(
        *_at(tx.tenant, mail_id), _M.conversation == conversation,
        _M.state.in_(("sent", "unknown", "failed")),
    )  # fmt: skip
    return tx.connection.execute(change.values(state="failed", error=error[:200])).rowcount == 1


def settle(tx: Tx, row: MailRow, state: MailState, error: str, next_at: datetime) -> None:
    """Say how an attempt ended that did not send *row*: it waits again, or is dead."""
    tx.connection.execute(
        sa.update(mail)
        .where(*_at(tx.tenant, row.id), _M.state.in_(("waiting", "handing")))
        .values(state=state, error=error[:200], attempts=row.attempts + 1, next_at=next_at)
    )


def put_off(tx: Tx, row: MailRow, next_at: datetime) -> None:
    """Look at *row* again later; that is no attempt."""
    tx.connection.execute(
        sa.update(mail)
        .where(*_at(tx.tenant, row.id), _M.state == "waiting")
        .values(next_at=next_at)
    )


def drop(tx: Tx, mail_id: str) -> bool:
    """Forget a mail that has not left; return whether there was one."""
    gone = sa.delete(mail).where(*_at(tx.tenant, mail_id), _M.state.in_(("waiting", *DEAD)))
    return tx.connection.execute(gone).rowcount == 1


def drop_of(tx: Tx, conversation: str) -> None:
    """Forget every mail of an erased conversation."""
    tx.connection.execute(sa.delete(mail).where(*_of(tx.tenant, conversation)))


def abandoned(tx: Tx, kinds: Sequence[MailKind]) -> int:
    """Say of what another process was handing over that nobody knows; return how many."""
    change = sa.update(mail).where(
        _M.tenant == tx.tenant, _M.kind.in_(list(kinds)), _M.state == "handing"
    )
    return tx.connection.execute(change.values(state="unknown", error="interrupted")).rowcount


def forget_sent(tx: Tx, before: datetime) -> None:
    """Forget what was sent before a moment: an address is not kept for ever."""
    tx.connection.execute(
        sa.delete(mail).where(_M.tenant == tx.tenant, _M.state == "sent", _M.sent_at < before)
    )


def again(tx: Tx, mail_id: str) -> bool:
    """Let a dead mail wait anew, with all its attempts; return whether there is one."""
    change = sa.update(mail).where(*_at(tx.tenant, mail_id), _M.state.in_(DEAD))
    values = {"state": "waiting", "attempts": 0, "next_at": tx.now, "error": ""}
    return tx.connection.execute(change.values(**values)).rowcount == 1


def listed(connection: Connection, tenant: str, states: Sequence[str]) -> Sequence[MailRow]:
    """Return the mails in *states*, newest first, at most 200."""
    query = (
        sa.select(mail)
        .where(_M.tenant == tenant, _M.state.in_(list(states)))
        .order_by(_M.created_at.desc(), _M.id)
        .limit(LIST_MAX)
    )
    return [_mail(row) for row in connection.execute(query)]


def count_dead(connection: Connection) -> int:
    """Return how many mails of all tenants a person has to look at."""
    if not sa.inspect(connection).has_table(mail.name):
        return 0
    count = sa.select(sa.func.count()).select_from(mail).where(_M.state.in_(DEAD))
    return int(connection.execute(count).scalar() or 0)


def count_dead_in(path: Path) -> int:
    """Return the same of the database file at *path*, without changing it."""
    engine = sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            return count_dead(connection)
    finally:
        engine.dispose()


def restored(connection: Connection) -> None:
    """Hand what waited to a person: it may have been sent after the backup was made."""
    change = sa.update(mail).where(_M.state.in_(("waiting", "handing")))
    connection.execute(change.values(state="unknown", error="restored"))


def sent_before(connection: Connection, tenant: str, conversation: str) -> str | None:
    """Return the id of the mail that was last sent of a conversation."""
    query = (
        sa.select(_M.id)
        .where(*_of(tenant, conversation), _M.state == "sent")
        .order_by(_M.sent_at.desc())
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def said(
    connection: Connection, tenant: str, conversation: str, span: tuple[int, int]
) -> Sequence[tuple[int, datetime, str, bytes]]:
    """Return (seq, at, by, data) of what both sides saw in *span*, both ends included.

    *data* has the text as it is now. The oldest first; of more than 1,000 messages the last
    ones.
    """
    query = (
        sa.select(_E.seq, _E.at, _E.by, _E.data)
        .where(
            _E.tenant == tenant, _E.conversation == conversation, _E.kind == "message.posted",
            _E.audience == "all", _E.seq.between(*span),
        )
        .order_by(_E.seq.desc())
        .limit(LINES_MAX)
    )  # fmt: skip
    rows = connection.execute(query).all()
    texts = edits.latest(connection, tenant, [row.seq for row in rows])
    return [
        (row.seq, row.at, row.by, _with_text(row.data, texts.get(row.seq)))
        for row in reversed(rows)
    ]


def _with_text(data: bytes, text: str | None) -> bytes:
    return data if text is None else orjson.dumps(orjson.loads(data) | {"text": text})


def contact(connection: Connection, tenant: str, visitor: str) -> str | None:
    """Return the address that a visitor left."""
    query = sa.select(mail_contact.c.address).where(
        mail_contact.c.tenant == tenant, mail_contact.c.visitor == visitor
    )
    found: str | None = connection.execute(query).scalar()
    return found


def leave_contact(tx: Tx, visitor: str, address: str | None) -> None:
    """Keep the address that a visitor leaves, in place of an older one; None removes it."""
    c = mail_contact.c
    tx.connection.execute(
        sa.delete(mail_contact).where(c.tenant == tx.tenant, c.visitor == visitor)
    )
    if address is not None:
        row = {"tenant": tx.tenant, "visitor": visitor, "address": address, "at": tx.now}
        tx.connection.execute(sa.insert(mail_contact).values(**row))


def is_stopped(connection: Connection, tenant: str, address: str) -> bool:
    """Return whether whoever reads *address* wants no answers by mail."""
    c = mail_stop.c
    query = sa.select(c.at).where(c.tenant == tenant, c.address == address)
    return connection.execute(query).first() is not None


def stop(tx: Tx, address: str, *, is_wanted: bool) -> None:
    """Send *address* no more answers; with *is_wanted*, send them again."""
    c = mail_stop.c
    tx.connection.execute(
        sa.delete(mail_stop).where(c.tenant == tx.tenant, c.address == address)
    )
    if not is_wanted:
        row = {"tenant": tx.tenant, "address": address, "at": tx.now}
        tx.connection.execute(sa.insert(mail_stop).values(**row))


def _insert(
    tx: Tx,
    kind: MailKind,
    conversation: str,
    address: str,
    span: tuple[int, int],
    due_at: datetime,
) -> str:
    id_ = new_id("ml")
    tx.connection.execute(
        sa.insert(mail).values(
            tenant=tx.tenant, id=id_, kind=kind, conversation=conversation, state="waiting",
            address=address, from_seq=span[0], until_seq=span[1], attempts=0, next_at=due_at,
            error="", created_at=tx.now, sent_at=None,
        )
    )  # fmt: skip
    return id_


def _at(tenant: str, mail_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_M.tenant == tenant, _M.id == mail_id)


def _of(tenant: str, conversation: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_M.tenant == tenant, _M.conversation == conversation)


def _mail(row: sa.Row[Any]) -> MailRow:
    return MailRow(**row._mapping)  # noqa: SLF001  public in SQLAlchemy
