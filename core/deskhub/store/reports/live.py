"""What is going on right now: who has how much, and who waits for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from deskhub.clock import rfc3339
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store.tables.chat import conversation

_C = conversation.c


def now_open(connection: sa.Connection, principal: Principal) -> dict[str, Any]:
    """Return the open conversations as counts: in all, by inbox and by agent.

    *unassigned* is the queue; *waiting* are those whose customer spoke last, with the moment
    since when the longest of them waits. Three statements over the open conversations.
    """
    authorize(principal, Permission.REPORT_READ, Scope(principal.tenant))
    where: list[sa.ColumnElement[bool]] = [_C.tenant == principal.tenant]
    if principal.inboxes is not None:
        where.append(_C.inbox.in_(sorted(principal.inboxes)))
    is_open = [*where, _C.state == "open"]
    parts = _counted(connection, is_open)
    snoozed = sa.select(sa.func.count()).select_from(conversation)
    return {
        "open": sum(one["open"] for one in parts),
        "snoozed": connection.execute(
            snoozed.where(*where, _C.state == "snoozed")
        ).scalar_one(),
        "queue": _queue(parts),
        "waiting": _summed(parts),
        "inboxes": {
            inbox: _summed([one for one in parts if one["inbox"] == inbox])
            | _queue([one for one in parts if one["inbox"] == inbox])
            for inbox in sorted({one["inbox"] for one in parts})
        },
        "agents": {
            agent: _summed([one for one in parts if one["assignee"] == agent])
            for agent in sorted({one["assignee"] for one in parts if one["assignee"]})
        },
    }


def _counted(
    connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]]
) -> Sequence[Mapping[str, Any]]:
    """Return the counts of each inbox and assignee."""
    since = sa.func.min(_C.waiting_since)
    arrived = sa.func.min(sa.func.coalesce(_C.waiting_since, _C.opened_at))
    query = (
        sa.select(
            _C.inbox, _C.assignee, sa.func.count().label("open"),
            sa.func.count(_C.waiting_since).label("waiting"),
            sa.type_coerce(since, _C.opened_at.type).label("since"),
            sa.type_coerce(arrived, _C.opened_at.type).label("arrived"),
        )
        .where(*where)
        .group_by(_C.inbox, _C.assignee)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001  public in SQLAlchemy


def _summed(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many are open and wait, and since when the longest does."""
    since = min((one["since"] for one in parts if one["since"] is not None), default=None)
    return {
        "open": sum(one["open"] for one in parts),
        "waiting": sum(one["waiting"] for one in parts),
        "waiting_since": rfc3339(since) if since is not None else None,
    }


def _queue(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many nobody has, and since when the oldest of them is there."""
    free = [one for one in parts if one["assignee"] is None]
    since = min((one["arrived"] for one in free), default=None)
    return {
        "unassigned": sum(one["open"] for one in free),
        "unassigned_since": rfc3339(since) if since is not None else None,
    }
