"""Unsent text, kept on the server so that it survives a crash and another device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from deskhub.chat.errors import TextTooLong
from deskhub.chat.model import TEXT_BYTES
from deskhub.clock import rfc3339
from deskhub.errors import Invalid
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store import conversations
from deskhub.store.tables.chat import draft
from deskhub.store.tx import Tx
from deskhub.store.upsert import Upsert

Mode = Literal["reply", "note"]

_PUT = Upsert(draft)


def put(tx: Tx, principal: Principal, conversation: str, mode: Mode, text: str) -> None:
    """Keep *text* as the caller's draft; empty text removes it."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise Invalid("draft is not valid Unicode") from error
    if size > TEXT_BYTES:
        raise TextTooLong
    state = conversations.load(tx.connection, principal, conversation)
    scope = Scope(state.tenant, state.inbox, state.visitor)
    authorize(principal, Permission.NOTE_POST, scope)
    keys = {
        "tenant": principal.tenant,
        "agent": principal.id,
        "conversation": conversation,
        "mode": mode,
    }
    if not text:
        where = [draft.c[name] == value for name, value in keys.items()]
        tx.connection.execute(sa.delete(draft).where(*where))
        return
    row = {**keys, "text": text, "at": tx.now}
    tx.connection.execute(_PUT.on(tx.connection.dialect), row)


def of_conversation(
    connection: sa.Connection, principal: Principal, conversation: str
) -> dict[str, str]:
    """Return ``{reply, note}``; empty texts where there is none."""
    state = conversations.load(connection, principal, conversation)
    scope = Scope(state.tenant, state.inbox, state.visitor)
    authorize(principal, Permission.NOTE_POST, scope)
    query = _own(principal).where(draft.c.conversation == conversation)
    found = {row.mode: row.text for row in connection.execute(query)}
    return {"reply": found.get("reply", ""), "note": found.get("note", "")}


def all_of(connection: sa.Connection, principal: Principal) -> Sequence[dict[str, Any]]:
    """Return the caller's drafts, newest first."""
    rows = connection.execute(_own(principal).order_by(draft.c.at.desc()).limit(200))
    return [
        {
            "conversation": row.conversation,
            "mode": row.mode,
            "text": row.text,
            "at": rfc3339(row.at),
        }
        for row in rows
    ]


def _own(principal: Principal) -> sa.Select[Any]:
    return sa.select(draft).where(
        draft.c.tenant == principal.tenant, draft.c.agent == principal.id
    )
