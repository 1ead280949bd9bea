"""Reports and the live page: for who leads, counted when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import Response

from deskhub.edge.auth import HubOf, requires
from deskhub.edge.csv import csv_answer
from deskhub.edge.hub import Hub
from deskhub.errors import Invalid
from deskhub.identity.model import Principal, Role
from deskhub.identity.policy import Permission
from deskhub.identity.records import Status
from deskhub.store.reports import figures, live, ratings
from deskhub.store.reports.days import DAYS_MAX, Span
from deskhub.store.reports.figures import NAMES, Asked
from deskhub.store.tx import Connection

Lead = Annotated[Principal, Depends(requires(Permission.REPORT_READ))]
Name = Literal["overview", "agents", "inboxes", "tags", "ratings"]
Zone = Annotated[str, Query(max_length=64, description="An IANA zone: whose days to count.")]

DEFAULT_DAYS = 30
RATINGS_SHOWN = 50
_YEARS = range(2000, 2101)
_Rows = Callable[[Connection, Principal, Asked], Sequence[dict[str, Any]]]
_TABLES: dict[str, tuple[tuple[str, ...], _Rows]] = {
    "overview": (("day", "backlog", *NAMES), figures.by_day),
    "agents": (("agent", "name", *NAMES), figures.by_agent),
    "inboxes": (("inbox", *NAMES), figures.by_inbox),
    "tags": (("tag", *NAMES), figures.by_tag),
    "ratings": (
        ("at", "score", "comment", "customer", "agent", "inbox", "conversation"),
        lambda db, principal, asked: ratings.latest(
            db, principal, asked, limit=ratings.SHOWN_MAX
        ),
    ),
}


class FiguresView(BaseModel):
    """Figures of a span; times are in seconds, null where nothing was measured."""

    opened: int
    closed: int
    replies: int
    first_reply_p50_s: int | None
    first_reply_p90_s: int | None
    resolution_p50_s: int | None
    resolution_p90_s: int | None
    promised: int
    kept: int
    ratings: int
    score_sum: int
    satisfied: int


class DayView(FiguresView):
    """One day; *backlog* is what was open at its end."""

    day: date
    backlog: int


class InboxView(FiguresView):
    """One inbox."""

    inbox: str
    name: str


class TagView(FiguresView):
    """One tag."""

    tag: str


class PersonView(FiguresView):
    """One agent."""

    agent: str
    name: str


class RatingView(BaseModel):
    """What somebody said about a conversation."""

    conversation: str
    inbox: str
    at: datetime
    score: int
    comment: str
    customer: str
    agent: str | None


class About(BaseModel):
    """What a report is about: *first* and *last* are days of *zone*, both included."""

    first: date
    last: date
    zone: str
    inbox: str | None
    inboxes: dict[str, str]


class OverviewView(About):
    """The span in all, the same number of days before it, and each of its days."""

    figures: FiguresView
    before: FiguresView
    days: list[DayView]


class AgentsReport(About):
    """The span by agent."""

    rows: list[PersonView]


class InboxesReport(About):
    """The span by inbox."""

    rows: list[InboxView]


class TagsReport(About):
    """The span by tag; a conversation counts for each of its tags."""

    rows: list[TagView]


class RatingsReport(About):
    """The span's latest ratings, newest first."""

    rows: list[RatingView]


class CountView(BaseModel):
    """How many are open, how many of them wait for us, and the longest of these since when."""

    open: int
    waiting: int
    waiting_since: datetime | None


class QueueView(BaseModel):
    """What nobody has, and since when the oldest of it is there."""

    unassigned: int
    unassigned_since: datetime | None


class LiveInboxView(CountView, QueueView):
    """An inbox right now."""

    inbox: str
    name: str


class LiveAgentView(CountView):
    """An agent right now."""

    agent: str
    name: str
    role: Role
    status: Status
    online: bool
    capacity: int


class LiveView(BaseModel):
    """The desk right now; *today* are the figures of the day so far."""

    now: datetime
    zone: str
    open: int
    snoozed: int
    queue: QueueView
    waiting: CountView
    inboxes: list[LiveInboxView]
    agents: list[LiveAgentView]
    today: FiguresView


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report was asked for, checked."""

    zone: str
    asked: Asked


def wanted(
    hub: HubOf,
    principal: Lead,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
    zone: Zone = "UTC",
    inbox: Annotated[str | None, Query(max_length=128)] = None,
) -> Wanted:
    """Return what was asked for: the last 30 days unless the caller says which."""
    of = _zone(zone)
    last = last or hub.clock.now().astimezone(of).date()
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    _check(first, last)
    promised = _promised(hub, principal.tenant)
    return Wanted(zone, Asked(Span(first, last, of), inbox or None, promised))


Of = Annotated[Wanted, Depends(wanted)]


def router(hub: Hub) -> APIRouter:
    """Return the routes of reports and of the live page."""
    routes = APIRouter(prefix="/api/v1", tags=["reports"])
    _reports(hub, routes)

    @routes.get("/live")
    async def now(principal: Lead, zone: Zone = "UTC") -> LiveView:
        """Return who is there, what is open and who waits; today's figures in *zone*."""
        return await _live(hub, principal, zone)

    return routes


def _reports(hub: Hub, routes: APIRouter) -> None:
    @routes.get("/reports/overview")
    async def overview(principal: Lead, query: Of) -> OverviewView:
        """Return the figures of a span, of the span before, and of each day."""
        await hub.reports.catch_up(principal.tenant)
        asked = query.asked
        before = Asked(asked.span.before(), asked.inbox, asked.promised)

        def read(db: Connection) -> dict[str, Any]:
            return {
                "figures": figures.as_dict(figures.totals(db, principal, asked)),
                "before": figures.as_dict(figures.totals(db, principal, before)),
                "days": figures.by_day(db, principal, asked),
            }

        return OverviewView(**_about(hub, principal, query), **await hub.store.read(read))

    @routes.get("/reports/agents")
    async def agents(principal: Lead, query: Of) -> AgentsReport:
        """Return the figures of a span by agent."""
        rows = await _rows(hub, principal, query, figures.by_agent)
        return AgentsReport(**_about(hub, principal, query), rows=rows)

    @routes.get("/reports/inboxes")
    async def inboxes(principal: Lead, query: Of) -> InboxesReport:
        """Return the figures of a span by inbox."""
        rows = await _rows(hub, principal, query, figures.by_inbox)
        names = _inboxes(hub, principal)
        named = [row | {"name": names.get(row["inbox"], row["inbox"])} for row in rows]
        return InboxesReport(**_about(hub, principal, query), rows=named)

    @routes.get("/reports/tags")
    async def tags(principal: Lead, query: Of) -> TagsReport:
        """Return the figures of a span by tag, as conversations are tagged now."""
        rows = await _rows(hub, principal, query, figures.by_tag)
        return TagsReport(**_about(hub, principal, query), rows=rows)

    @routes.get("/reports/ratings")
    async def rated(principal: Lead, query: Of) -> RatingsReport:
        """Return what customers said, newest first; only for who may read conversations."""
        rows = await _rows(
            hub, principal, query,
            lambda db, who, asked: ratings.latest(db, who, asked, limit=RATINGS_SHOWN),
        )  # fmt: skip
        return RatingsReport(**_about(hub, principal, query), rows=rows)

    @routes.get("/reports/{name}/csv", response_class=Response)
    async def table(name: Name, principal: Lead, query: Of) -> Response:
        """Return a report as a table for spreadsheets; ``overview`` has a line for each day."""
        columns, rows = _TABLES[name]
        found = await _rows(hub, principal, query, rows)
        span = query.asked.span
        return csv_answer(f"deskhub-{name}-{span.first}-{span.last}", columns, found)


async def _rows(hub: Hub, principal: Principal, query: Wanted, rows: _Rows) -> Any:  # noqa: ANN401  pydantic checks them
    await hub.reports.catch_up(principal.tenant)
    return await hub.store.read(lambda db: rows(db, principal, query.asked))


async def _live(hub: Hub, principal: Principal, zone: str) -> LiveView:
    await hub.reports.catch_up(principal.tenant)
    now = hub.clock.now()
    today = now.astimezone(_zone(zone)).date()
    asked = Asked(Span(today, today, _zone(zone)), None, _promised(hub, principal.tenant))

    def read(db: Connection) -> tuple[dict[str, Any], figures.Figures]:
        return live.now_open(db, principal), figures.totals(db, principal, asked)

    found, so_far = await hub.store.read(read)
    here = set(hub.streams.presence.online(principal.tenant))
    nothing = {"open": 0, "waiting": 0, "waiting_since": None}
    free = {"unassigned": 0, "unassigned_since": None}
    return LiveView(
        now=now,
        zone=zone,
        open=found["open"],
        snoozed=found["snoozed"],
        queue=QueueView(**found["queue"]),
        waiting=CountView(**found["waiting"]),
        inboxes=[
            LiveInboxView(inbox=key, name=name, **(found["inboxes"].get(key, nothing | free)))
            for key, name in _inboxes(hub, principal).items()
        ],
        agents=[
            LiveAgentView(
                agent=one.id, name=one.name, role=one.role, status=one.status,
                online=f"agent:{one.id}" in here, capacity=one.capacity,
                **found["agents"].get(one.id, nothing),
            )
            for one in await hub.identity.agents(principal.tenant)
            if one.role != "auditor"
        ],
        today=FiguresView(**figures.as_dict(so_far)),
    )  # fmt: skip


def _check(first: date, last: date) -> None:
    """Raise `Invalid` for a span that is none, or too long to be counted at once."""
    for name, one in (("to", last), ("from", first)):
        if one.year not in _YEARS:
            text = f"A day from {_YEARS[0]} to {_YEARS[-1]}."
            raise Invalid(
                f"report: {one}", fields=({"path": name, "code": "range", "text": text},)
            )
    if first > last:
        text = "The first day comes before the last."
        raise Invalid(
            "report: order", fields=({"path": "from", "code": "order", "text": text},)
        )
    if (last - first).days >= DAYS_MAX:
        text = f"At most {DAYS_MAX} days at a time."
        raise Invalid(
            "report: length", fields=({"path": "from", "code": "long", "text": text},)
        )


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        text = "An IANA zone, as Asia/Shanghai."
        raise Invalid(
            "report: zone", fields=({"path": "zone", "code": "unknown", "text": text},)
        ) from error


def _promised(hub: Hub, tenant: str) -> frozenset[str]:
    boxes = hub.config.inboxes.values()
    return frozenset(box.id for box in boxes if box.tenant == tenant and box.sla)


def _inboxes(hub: Hub, principal: Principal) -> dict[str, str]:
    """Return the names of the inboxes that *principal* may see, by id."""
    return {
        box.id: box.name or box.id
        for box in hub.config.inboxes.values()
        if box.tenant == principal.tenant
        and (principal.inboxes is None or box.id in principal.inboxes)
    }


def _about(hub: Hub, principal: Principal, query: Wanted) -> dict[str, Any]:
    span = query.asked.span
    return {
        "first": span.first,
        "last": span.last,
        "zone": query.zone,
        "inbox": query.asked.inbox,
        "inboxes": _inboxes(hub, principal),
    }
