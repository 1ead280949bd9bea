"""What visitors said when they rated: the latest, with their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store.reports.days import Span
from deskhub.store.reports.figures import Asked, visible
from deskhub.store.tables import chat as t
from deskhub.store.tables.identity import agent as agent_table
from deskhub.store.tables.reports import stretch

SHOWN_MAX = 500

_S = stretch.c


def latest(
    connection: sa.Connection, principal: Principal, asked: Asked, *, limit: int
) -> Sequence[dict[str, Any]]:
    """Return the span's ratings, newest first, at most *limit* (1–500).

    Their words are part of conversations: only who may read those may read them here. Raises
    `Forbidden`.
    """
    authorize(principal, Permission.CONVERSATION_READ, Scope(principal.tenant))
    said, talk, person = t.event, t.conversation, agent_table
    query = (
        sa.select(
            _S.conversation, _S.inbox, _S.score, _S.rated_at, said.c.data,
            talk.c.name.label("customer"), person.c.name.label("agent"),
        )
        .join(said, sa.and_(said.c.tenant == _S.tenant, said.c.seq == _S.rated_seq))
        .join(talk, sa.and_(talk.c.tenant == _S.tenant, talk.c.id == _S.conversation))
        .outerjoin(
            person,
            sa.and_(
                person.c.tenant == _S.tenant,
                person.c.id == sa.func.coalesce(_S.assignee, _S.closed_by),
            ),
        )
        .where(*visible(principal, asked.inbox), *_within(asked.span))
        .order_by(_S.rated_at.desc(), _S.rated_seq.desc())
        .limit(max(1, min(limit, SHOWN_MAX)))
    )  # fmt: skip
    return [
        {
            "conversation": row.conversation,
            "inbox": row.inbox,
            "at": rfc3339(row.rated_at),
            "score": row.score,
            "comment": msgspec.json.decode(row.data).get("comment", ""),
            "customer": row.customer,
            "agent": row.agent,
        }
        for row in connection.execute(query)
    ]


def _within(span: Span) -> Sequence[sa.ColumnElement[bool]]:
    return (_S.rated_at >= span.start, _S.rated_at < span.end)
