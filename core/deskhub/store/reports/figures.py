"""The figures of a span of days, counted by the database: in all, by day, inbox, agent or tag.

What each figure means is said to readers in the console's texts (``report.*.what``) and in
docs/how-to/reports.md; change them together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import sqlalchemy as sa

from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store.reports.days import Span, day
from deskhub.store.tables.chat import conversation
from deskhub.store.tables.identity import agent as agent_table
from deskhub.store.tables.reports import stretch

# Rows of a report by inbox or agent; there are never more of either in one tenant's hub.
GROUPS_MAX = 500
SATISFIED_FROM = 4

_S = stretch.c
_Where = Sequence[sa.ColumnElement[bool]]
# Gives what to group by, for figures that are counted at one kind of moment.
_By = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]


@dataclass(slots=True)
class Figures:
    """One row of a report. Times are in whole seconds, None where nothing was measured.

    *promised* counts the conversations of inboxes with a target, *kept* those of them that
    were not late. *score_sum* is the sum of *ratings* scores, *satisfied* counts 4 and 5.
    """

    opened: int = 0
    closed: int = 0
    replies: int = 0
    first_reply_p50_s: int | None = None
    first_reply_p90_s: int | None = None
    resolution_p50_s: int | None = None
    resolution_p90_s: int | None = None
    promised: int = 0
    kept: int = 0
    ratings: int = 0
    score_sum: int = 0
    satisfied: int = 0


NAMES = tuple(one.name for one in fields(Figures))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about: *inbox* None means all that the reader may see.

    *promised* are the inboxes that have a target.
    """

    span: Span
    inbox: str | None = None
    promised: Collection[str] = field(default=frozenset())


def totals(connection: sa.Connection, principal: Principal, asked: Asked) -> Figures:
    """Return the figures of the whole span."""
    found = _counted(connection, _where(principal, asked), asked, lambda _: sa.literal(0))
    return found.get(0, Figures())


def by_day(
    connection: sa.Connection, principal: Principal, asked: Asked
) -> Sequence[dict[str, Any]]:
    """Return the figures of each day, and how many conversations were open at its end."""
    where = _where(principal, asked)
    found = _counted(connection, where, asked, asked.span.day_of)
    rows = {day(number): figures for number, figures in found.items()}
    backlog = _open_at(connection, where, asked.span)
    told = []
    for one in asked.span.days:
        figures = rows.get(one, Figures())
        backlog += figures.opened - figures.closed
        told.append({"day": one.isoformat(), "backlog": backlog} | as_dict(figures))
    return told


def by_inbox(
    connection: sa.Connection, principal: Principal, asked: Asked
) -> Sequence[dict[str, Any]]:
    """Return the figures of each inbox in which anything happened, by its id."""
    found = _counted(connection, _where(principal, asked), asked, lambda _: _S.inbox)
    return [{"inbox": key} | as_dict(found[key]) for key in sorted(found)[:GROUPS_MAX]]


def by_tag(
    connection: sa.Connection, principal: Principal, asked: Asked
) -> Sequence[dict[str, Any]]:
    """Return the figures of each tag, by its name; a conversation counts for all of its tags.

    These are the tags that conversations have now, also of those that are long closed.
    """
    tags = _tags(connection, principal.tenant)
    mine = (tags.c.tenant == _S.tenant, tags.c.id == _S.conversation)
    where = [*_where(principal, asked), *mine]
    found = _counted(connection, where, asked, lambda _: tags.c.tag)
    return [{"tag": key} | as_dict(found[key]) for key in sorted(found)[:GROUPS_MAX]]


def by_agent(
    connection: sa.Connection, principal: Principal, asked: Asked
) -> Sequence[dict[str, Any]]:
    """Return the figures of each agent, by name.

    First replies belong to whoever gave them, everything else to whoever had the conversation
    at the end, or closed it when nobody had it.
    """
    where = _where(principal, asked)
    holder = sa.func.coalesce(_S.assignee, _S.closed_by)
    given: dict[Any, Figures] = {}
    for key, row in _replies(connection, where, asked.span, lambda _: _S.answered_by).items():
        _put(given, key, row)
    for part in (_closings, _ratings):
        for key, row in part(connection, where, asked.span, lambda _: holder).items():
            _put(given, key, row)
    given.pop(None, None)
    names = _names(connection, principal.tenant)
    told = [
        {"agent": key, "name": names.get(key, key)} | as_dict(row) for key, row in given.items()
    ]
    return sorted(told, key=lambda one: (one["name"], one["agent"]))[:GROUPS_MAX]


def as_dict(figures: Figures) -> dict[str, Any]:
    """Return *figures* as plain data."""
    return {name: getattr(figures, name) for name in NAMES}


def visible(principal: Principal, inbox: str | None) -> _Where:
    """Return the condition for what *principal* may see. Raises `NotFound`, `Forbidden`."""
    authorize(principal, Permission.REPORT_READ, Scope(principal.tenant, inbox))
    where: list[sa.ColumnElement[bool]] = [_S.tenant == principal.tenant]
    if inbox is not None:
        where.append(_S.inbox == inbox)
    elif principal.inboxes is not None:
        where.append(_S.inbox.in_(sorted(principal.inboxes)))
    return where


def _where(principal: Principal, asked: Asked) -> _Where:
    return visible(principal, asked.inbox)


def _counted(
    connection: sa.Connection, where: _Where, asked: Asked, key: _By
) -> dict[Any, Figures]:
    """Return every figure by *key*."""
    span, found = asked.span, dict[Any, Figures]()
    parts = (
        _counts(connection, where, span, key),
        _replies(connection, where, span, key),
        _closings(connection, where, span, key),
        _promises(connection, where, asked, key),
        _ratings(connection, where, span, key),
    )
    for part in parts:
        for one, row in part.items():
            _put(found, one, row)
    return found


def _put(found: dict[Any, Figures], key: Any, row: Mapping[str, Any]) -> None:  # noqa: ANN401  a day, an id
    figures = found.setdefault(key, Figures())
    for name, value in row.items():
        setattr(figures, name, value)


def _counts(
    connection: sa.Connection, where: _Where, span: Span, key: _By
) -> Mapping[Any, Mapping[str, Any]]:
    keyed = sa.select(key(_S.opened_at).label("key")).where(
        *where, _S.opened_at >= span.start, _S.opened_at < span.end
    )
    return _grouped(connection, keyed, {"opened": lambda _: sa.func.count()})


def _replies(
    connection: sa.Connection, where: _Where, span: Span, key: _By
) -> Mapping[Any, Mapping[str, Any]]:
    found = _percentiles(
        connection,
        key(_S.opened_at),
        _micros(_S.answered_at) - _micros(_S.asked_at),
        [
            *where,
            _S.opened_at >= span.start,
            _S.opened_at < span.end,
            _S.answered_at.is_not(None),
        ],
    )
    return {
        one: {"replies": count, "first_reply_p50_s": p50, "first_reply_p90_s": p90}
        for one, (count, p50, p90) in found.items()
    }


def _closings(
    connection: sa.Connection, where: _Where, span: Span, key: _By
) -> Mapping[Any, Mapping[str, Any]]:
    found = _percentiles(
        connection,
        key(_S.closed_at),
        _micros(_S.closed_at) - _micros(_S.opened_at),
        [*where, _S.closed_at >= span.start, _S.closed_at < span.end],
    )
    return {
        one: {"closed": count, "resolution_p50_s": p50, "resolution_p90_s": p90}
        for one, (count, p50, p90) in found.items()
    }


def _promises(
    connection: sa.Connection, where: _Where, asked: Asked, key: _By
) -> Mapping[Any, Mapping[str, Any]]:
    if not asked.promised:
        return {}
    late = sa.case((_S.is_late_reply | _S.is_late_solution, 0), else_=1)
    keyed = sa.select(key(_S.opened_at).label("key"), late.label("kept")).where(
        *where,
        _S.opened_at >= asked.span.start,
        _S.opened_at < asked.span.end,
        _S.inbox.in_(sorted(asked.promised)),
    )
    figures = {"promised": lambda _: sa.func.count(), "kept": lambda c: sa.func.sum(c.kept)}
    return _grouped(connection, keyed, figures)


def _ratings(
    connection: sa.Connection, where: _Where, span: Span, key: _By
) -> Mapping[Any, Mapping[str, Any]]:
    keyed = sa.select(key(_S.rated_at).label("key"), _S.score).where(
        *where, _S.rated_at >= span.start, _S.rated_at < span.end
    )
    good = {
        "ratings": lambda _: sa.func.count(),
        "score_sum": lambda c: sa.func.sum(c.score),
        "satisfied": lambda c: sa.func.sum(sa.case((c.score >= SATISFIED_FROM, 1), else_=0)),
    }
    return _grouped(connection, keyed, good)


def _grouped(
    connection: sa.Connection,
    keyed: sa.Select[Any],
    figures: Mapping[str, Callable[[Any], sa.ColumnElement[Any]]],
) -> Mapping[Any, Mapping[str, Any]]:
    inner = keyed.subquery()
    columns = [make(inner.c).label(name) for name, make in figures.items()]
    query = sa.select(inner.c.key, *columns).group_by(inner.c.key)
    return {
        key: dict(zip(figures, (int(one) for one in counted), strict=True))
        for key, *counted in connection.execute(query)
    }


def _percentiles(
    connection: sa.Connection,
    key: sa.ColumnElement[Any],
    micros: sa.ColumnElement[int],
    where: _Where,
) -> Mapping[Any, tuple[int, int, int]]:
    """Return (count, median, 90th percentile) in whole seconds by *key*: nearest rank."""
    keyed = sa.select(key.label("key"), micros.label("value")).where(*where).subquery()
    ranked = sa.select(
        keyed.c.key,
        keyed.c.value,
        sa.func.row_number()
        .over(partition_by=keyed.c.key, order_by=keyed.c.value)
        .label("rank"),
        sa.func.count().over(partition_by=keyed.c.key).label("of"),
    ).subquery()

    def at(percent: int) -> sa.ColumnElement[int]:
        rank = (ranked.c.of * percent + 99) // 100
        return sa.func.max(sa.case((ranked.c.rank == rank, ranked.c.value)))

    query = sa.select(ranked.c.key, sa.func.max(ranked.c.of), at(50), at(90)).group_by(
        ranked.c.key
    )
    return {
        one: (int(count), int(p50) // 1_000_000, int(p90) // 1_000_000)
        for one, count, p50, p90 in connection.execute(query)
    }


def _open_at(connection: sa.Connection, where: _Where, span: Span) -> int:
    """Return how many stretches had begun and not ended when *span* begins."""
    later = _S.closed_at.is_(None) | (_S.closed_at >= span.start)
    query = sa.select(sa.func.count()).where(*where, _S.opened_at < span.start, later)
    return int(connection.execute(query.select_from(stretch)).scalar_one())


def _micros(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.type_coerce(moment, sa.BigInteger)


def _tags(connection: sa.Connection, tenant: str) -> sa.Subquery:
    """Return (tenant, id, tag), a row for each tag of each of *tenant*'s conversations."""
    is_sqlite = connection.dialect.name == "sqlite"
    each = sa.func.json_each if is_sqlite else sa.func.json_array_elements_text
    of = conversation.c
    one = each(of.tags).table_valued("value", joins_implicitly=True)
    query = sa.select(of.tenant, of.id, one.c.value.label("tag"))
    return query.select_from(conversation, one).where(of.tenant == tenant).subquery()


def _names(connection: sa.Connection, tenant: str) -> Mapping[str, str]:
    table = agent_table.c
    query = sa.select(table.id, table.name).where(table.tenant == tenant)
    return {row.id: row.name for row in connection.execute(query)}
