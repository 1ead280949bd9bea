"""What messages and notes say now: the log has the first text and every later one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from deskhub.chat.model import Said
from deskhub.store.sabotage import sabotaged
from deskhub.store.tables import chat as t
from deskhub.store.upsert import Upsert

POSTED = ("message.posted", "note.posted")

_E = t.event.c
_M = t.message_edit.c
_KEEP = Upsert(t.message_edit)


def said_of(connection: sa.Connection, tenant: str, conversation: str, seq: int) -> Said | None:
    """Return the message or note *seq* as it stands; None when there is no such one."""
    query = sa.select(_E.kind, _E.by, _E.at, _E.data).where(
        _E.tenant == tenant, _E.seq == seq, _E.conversation == conversation
    )
    row = connection.execute(query).first()
    if row is None or row.kind not in POSTED:
        return None
    later = sa.select(_E.seq).where(
        _E.tenant == tenant, _E.conversation == conversation, _E.seq > seq,
        _E.kind == row.kind, _E.by == row.by,
    )  # fmt: skip
    first: dict[str, Any] = orjson.loads(row.data)
    version, text = _current(connection, tenant, [seq]).get(seq, (0, str(first["text"])))
    return Said(
        seq, row.kind, row.by, row.at, text, version,
        is_last=connection.execute(later.limit(1)).first() is None,
        is_erased=bool(first.get("erased")),
    )  # fmt: skip


def kind_of(connection: sa.Connection, tenant: str, conversation: str, seq: int) -> str | None:
    """Return the kind of the conversation's event *seq*."""
    query = sa.select(_E.kind).where(
        _E.tenant == tenant, _E.seq == seq, _E.conversation == conversation
    )
    found: str | None = connection.execute(query).scalar()
    return found


def keep(
    connection: sa.Connection, tenant: str, of: int, version: int, edited_seq: int
) -> None:
    """Say that the event *edited_seq* holds the text of *of* from now on."""
    if sabotaged("edits_not_kept"):
        return
    row = {"tenant": tenant, "seq": of, "version": version, "edited_seq": edited_seq}
    connection.execute(_KEEP.on(connection.dialect), row)


def latest(connection: sa.Connection, tenant: str, seqs: Collection[int]) -> Mapping[int, str]:
    """Return the present texts of those of *seqs* that were edited."""
    return {seq: text for seq, (_, text) in _current(connection, tenant, seqs).items()}


def standing(
    connection: sa.Connection, tenant: str, seq: int, data: dict[str, Any]
) -> dict[str, Any]:
    """Return *data* of the message *seq* with the text that it has now."""
    texts = latest(connection, tenant, [seq])
    return data | {"text": texts[seq]} if seq in texts else data


def _current(
    connection: sa.Connection, tenant: str, seqs: Collection[int]
) -> dict[int, tuple[int, str]]:
    if not seqs:
        return {}
    query = (
        sa.select(_M.seq, _M.version, _E.data)
        .join(t.event, sa.and_(_E.tenant == _M.tenant, _E.seq == _M.edited_seq))
        .where(_M.tenant == tenant, _M.seq.in_(list(seqs)))
    )
    return {
        row.seq: (row.version, str(orjson.loads(row.data)["text"]))
        for row in connection.execute(query)
    }
