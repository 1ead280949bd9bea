"""What is known of uploaded files: begun, ready, used by a message, removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from deskhub.chat.model import Attachment, Conversation
from deskhub.errors import NotFound
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store.tables.files import file

SWEEP_MAX = 200

_F = file.c
_LOOSE = ("receiving", "ready")


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file. *width* to *thumb_height* are pixels, and None where it is no picture."""

    tenant: str
    id: str
    by: str
    state: str
    at: datetime
    name: str
    media: str
    bytes: int
    width: int | None = None
    height: int | None = None
    thumb_width: int | None = None
    thumb_height: int | None = None
    conversation: str | None = None
    inbox: str | None = None
    visitor: str | None = None

    @property
    def is_picture(self) -> bool:
        """Return whether it is shown and not only offered."""
        return self.width is not None


def begin(connection: sa.Connection, row: FileRow) -> None:
    """Remember a file before its bytes are kept."""
    values = {name: getattr(row, name) for name in _F.keys()}  # noqa: SIM118  columns, no dict
    connection.execute(sa.insert(file).values(values))


def ready(connection: sa.Connection, tenant: str, id_: str) -> None:
    """Say that the bytes are kept for good. Raises `NotFound` when it was removed meanwhile."""
    change = sa.update(file).where(*_at(tenant, [id_]), _F.state == "receiving")
    if connection.execute(change.values(state="ready")).rowcount == 0:
        raise NotFound(f"file {id_}")


def loose(connection: sa.Connection, tenant: str, by: str) -> int:
    """Return how many files of *by* no message uses."""
    count = sa.select(sa.func.count()).where(
        _F.tenant == tenant, _F.by == by, _F.state.in_(_LOOSE)
    )
    return int(connection.execute(count).scalar() or 0)


def offered(
    connection: sa.Connection, tenant: str, by: str, ids: Collection[str]
) -> Mapping[str, Attachment]:
    """Return those of *ids* that *by* uploaded and that no message uses."""
    query = sa.select(file).where(*_at(tenant, ids), _F.by == by, _F.state == "ready")
    return {
        row.id: Attachment(
            row.id, row.name, row.media, row.bytes,
            row.width, row.height, row.thumb_width, row.thumb_height,
        )
        for row in connection.execute(query)
    }  # fmt: skip


def attach(
    connection: sa.Connection, tenant: str, ids: Collection[str], to: Conversation
) -> None:
    """Tie *ids* to a message of the conversation *to*, in the message's own transaction."""
    connection.execute(
        sa.update(file)
        .where(*_at(tenant, ids))
        .values(state="attached", conversation=to.id, inbox=to.inbox, visitor=to.visitor)
    )


def readable(
    connection: sa.Connection, principal: Principal, ids: Collection[str]
) -> Sequence[FileRow]:
    """Return those of *ids* that *principal* may read. Raises `NotFound`, `Forbidden`.

    What no message uses yet exists for its uploader alone.
    """
    found = {row.id: row for row in _rows(connection, *_at(principal.tenant, ids))}
    rows = []
    for id_ in ids:
        row = found.get(id_)
        own = row is not None and row.state == "ready" and row.by == principal.by
        if row is None or not (own or row.state == "attached"):
            raise NotFound(f"file {id_}")
        scope = Scope(row.tenant, row.inbox, row.visitor)
        authorize(principal, Permission.CONVERSATION_READ, scope)
        rows.append(row)
    return rows


def mark_removed(connection: sa.Connection, tenant: str, ids: Collection[str]) -> None:
    """Let nobody read *ids* any more; their bytes go next, and then the rows."""
    connection.execute(sa.update(file).where(*_at(tenant, ids)).values(state="deleting"))


def of_conversations(
    connection: sa.Connection, tenant: str, conversations: Collection[str]
) -> Sequence[FileRow]:
    """Return every file of *conversations*."""
    where = (_F.tenant == tenant, _F.conversation.in_(list(conversations)))
    return _rows(connection, *where)


def loose_of(connection: sa.Connection, tenant: str, by: Collection[str]) -> Sequence[FileRow]:
    """Return the files that *by* uploaded and no message uses, also those half removed."""
    loose = _F.state.in_([*_LOOSE, "deleting"])
    return _rows(connection, _F.tenant == tenant, _F.by.in_(list(by)), loose)


def sent_before(
    connection: sa.Connection, tenant: str, before: datetime, limit: int
) -> list[str]:
    """Return files of messages that came before *before*, oldest first, at most *limit*."""
    query = (
        sa.select(_F.id)
        .where(_F.tenant == tenant, _F.state == "attached", _F.at < before)
        .order_by(_F.at)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def abandoned(connection: sa.Connection, before: datetime) -> Sequence[FileRow]:
    """Return files that no message took until *before*, and those half removed."""
    query = (
        sa.select(file)
        .where(_F.state.in_([*_LOOSE, "deleting"]), _F.at < before)
        .order_by(_F.at)
        .limit(SWEEP_MAX)
    )
    return [FileRow(*row) for row in connection.execute(query)]


def take_abandoned(connection: sa.Connection, tenant: str, ids: Collection[str]) -> list[str]:
    """Mark those of *ids* as removed that no message took meanwhile; return them."""
    where = (*_at(tenant, ids), _F.state.in_([*_LOOSE, "deleting"]))
    taken = [row.id for row in _rows(connection, *where)]
    mark_removed(connection, tenant, taken)
    return taken


def forget(connection: sa.Connection, tenant: str, ids: Collection[str]) -> None:
    """Remove the rows of *ids*; call it after their bytes are gone."""
    connection.execute(sa.delete(file).where(*_at(tenant, ids), _F.state == "deleting"))


def _rows(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[FileRow]:
    return [FileRow(*row) for row in connection.execute(sa.select(file).where(*where))]


def _at(tenant: str, ids: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    return (_F.tenant == tenant, _F.id.in_(list(ids)))
