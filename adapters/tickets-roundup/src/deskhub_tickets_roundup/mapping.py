"""What Roundup answers, checked and turned into cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from deskhub_sdk import Malformed, Signal, Ticket, TicketId
from deskhub_sdk.rest import Wire

TicketStatus = Literal["open", "in_progress", "waiting", "done"]
CHANGED = "case.changed"
# The statuses of Roundup's own templates; a status that somebody added counts as open.
_KNOWN: Mapping[str, TicketStatus] = {
    "unread": "open", "new": "open", "open": "open", "deferred": "waiting",
    "need-eg": "waiting", "chatting": "in_progress", "in-progress": "in_progress",
    "testing": "in_progress",
}  # fmt: skip


class Named(Wire, frozen=True):
    """A record of a class with a key; *name* is there where it was asked for."""

    id: str
    name: str = ""


class Names(Wire, frozen=True):
    """A page of records with names."""

    collection: tuple[Named, ...]


class NamesAnswer(Wire, frozen=True):
    """Every answer of Roundup lies in ``data``."""

    data: Names


class Made(Wire, frozen=True):
    """What was created, or the record itself where only its id counts."""

    id: str


class MadeAnswer(Wire, frozen=True):
    """The answer to a creation."""

    data: Made


class Token(Wire, frozen=True):
    """Where a post-once token is used; its last part is the token."""

    link: str


class TokenAnswer(Wire, frozen=True):
    """The answer to asking for a post-once token."""

    data: Token


class Row(Wire, frozen=True):
    """An issue in a list; a dot in a field's name reaches into the linked record."""

    id: str
    activity: str
    title: str | None = None
    status: str | None = msgspec.field(default=None, name="status.name")
    realname: str | None = msgspec.field(default=None, name="assignedto.realname")
    username: str | None = msgspec.field(default=None, name="assignedto.username")
    keyword: tuple[Named, ...] = ()


class Rows(Wire, frozen=True):
    """A page of issues."""

    collection: tuple[Row, ...]


class RowsAnswer(Wire, frozen=True):
    """The answer to a search for issues."""

    data: Rows


class Case(Wire, frozen=True):
    """An issue as this adapter sees it; *status* is Roundup's own word."""

    id: str
    title: str
    status: str
    kind: TicketStatus
    updated_at: datetime
    assignee: str | None = None
    customer: str | None = None
    url: str | None = None

    @property
    def key(self) -> str:
        """Return the name that Roundup's people use."""
        return f"issue{self.id}"

    @property
    def version(self) -> int:
        """Return a number that grows with every change; Roundup counts seconds."""
        return int(self.updated_at.timestamp())


def case_of(row: Row, base_url: str, prefix: str, closed: frozenset[str]) -> Case:
    """Return *row* as a case of the tracker at *base_url*. Raises `Malformed`."""
    status = row.status or ""
    marks = [one.name[len(prefix) :] for one in row.keyword if one.name.startswith(prefix)]
    return Case(
        id=row.id,
        title=row.title or f"issue{row.id}",
        status=status,
        kind="done" if status in closed else _KNOWN.get(status, "open"),
        updated_at=moment(row.activity),
        assignee=row.realname or row.username,
        customer=next(iter(marks), None),
        url=f"{base_url}/issue{row.id}",
    )


def ticket_of(case: Case) -> Ticket:
    """Return *case* as the contract's ticket."""
    return Ticket(
        id=TicketId(case.id),
        key=case.key,
        title=case.title[:300],
        status=case.kind,
        updated_at=case.updated_at,
        url=case.url,
        assignee=case.assignee,
    )


def case_in(signal: Signal) -> Case:
    """Return the case of a signal of ours. Raises `Malformed` when it holds none."""
    try:
        return msgspec.convert(dict(signal.data), Case)
    except msgspec.ValidationError as error:
        raise Malformed(f"{signal.object} holds no case: {error}") from error


def moment(value: str) -> datetime:
    """Return Roundup's ``2026-01-31.13:05:00``, which is UTC, as a time with a zone."""
    try:
        return datetime.strptime(value[:19], "%Y-%m-%d.%H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed(f"Roundup sent a time that is none: {value[:40]!r}") from error


def written(value: datetime) -> str:
    """Return *value* as Roundup writes times."""
    return value.astimezone(UTC).strftime("%Y-%m-%d.%H:%M:%S")
