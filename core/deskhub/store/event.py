"""An event as it is stored and as every transport sends it; wire bytes are made here only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.store.tables.chat import event

Audience = Literal["all", "agents"]

_ENCODE = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class Event:
    """One row of a tenant's log. Never changed after it was made.

    *data* is a JSON object, *encoded* the whole wire object around it. *inbox* and *visitor*
    are the conversation's: they decide who may see the event. *digest* tells commands that
    share a cid apart.
    """

    tenant: str
    seq: int
    at: datetime
    kind: str
    conversation: str | None
    audience: Audience
    by: str
    cid: str | None
    data: bytes
    encoded: bytes
    inbox: str | None
    visitor: str | None
    digest: bytes | None


def encode_data(data: Any) -> bytes:  # noqa: ANN401  any JSON value
    """Return *data* as compact JSON."""
    return _ENCODE(data)


def wire(seq: int, at: str, kind: str, conversation: str | None, by: str, data: bytes) -> bytes:
    """Return the wire object of an event; *at* is RFC 3339 with milliseconds."""
    return b'{"seq":%d,"at":"%s","kind":"%s","conversation":%s,"by":%s,"data":%s}' % (
        seq,
        at.encode(),
        kind.encode(),
        b"null" if conversation is None else b'"%s"' % conversation.encode(),
        _ENCODE(by),
        data,
    )


def from_row(row: sa.Row[Any]) -> Event:
    """Return the event of a row of the whole event table."""
    return Event(
        row.tenant,
        row.seq,
        row.at,
        row.kind,
        row.conversation,
        row.audience,
        row.by,
        row.cid,
        row.data,
        wire(row.seq, rfc3339(row.at), row.kind, row.conversation, row.by, row.data),
        row.inbox,
        row.visitor,
        row.digest,
    )


WHOLE = sa.select(event)
