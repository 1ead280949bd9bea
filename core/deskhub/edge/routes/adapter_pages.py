"""One adapter as its page shows it: what it is, how it felt, what it said, what reached it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import Response

from deskhub import __version__
from deskhub.edge.auth import requires
from deskhub.edge.hub import Hub
from deskhub.edge.processes import Processes
from deskhub.edge.routes.adapters import AdapterView, adapter_view
from deskhub.edge.together import Felt, InProcess, moment, together
from deskhub.edge.watching import HIDDEN, SECRET_CHARS, Watch, without
from deskhub.host.asked import methods_of
from deskhub.host.errors import UnknownInstance
from deskhub.host.running import Running
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store import hookcursors, signals
from deskhub.store.signals import SignalRow

Reader = Annotated[Principal, Depends(requires(Permission.ADAPTER_READ))]
Admin = Annotated[Principal, Depends(requires(Permission.ADAPTER_ADMIN))]
EVENTS = 50


class ProblemView(BaseModel):
    """What keeps an instance from starting: where, why, and what to do."""

    code: str
    what: str
    where: str
    why: str
    fix: str


class SampleView(BaseModel):
    """Figures at a moment: totals since the start, and the recent p95."""

    at: datetime
    calls: int
    errors: int
    p95_ms: float
    state: str


class ProcessView(BaseModel):
    """The instance in one process; *here* is the one that answers, *gone* one that ended."""

    name: str
    at: datetime
    here: bool
    gone: bool
    state: str
    text: str
    breaker: str
    calls: int
    errors: int
    late: int
    busy: int
    in_flight: int
    waiting: int
    p95_ms: float
    samples: list[SampleView]


class AdapterPage(AdapterView):
    """Everything about one instance but its settings: its figures are of all *processes*."""

    summary: str
    isolation: str
    layers: list[str]
    net: list[str]
    reads: list[str]
    writes: list[str]
    languages: list[str]
    methods: list[str]
    breaker: str
    in_flight: int
    waiting: int
    late: int
    busy: int
    http_calls: int
    next_try: datetime | None
    problems: list[ProblemView]
    samples: list[SampleView]
    processes: list[ProcessView]


class LineView(BaseModel):
    """One line of an instance's log."""

    number: int
    at: datetime
    level: str
    event: str
    fields: dict[str, str]


class LogView(BaseModel):
    """The latest lines, oldest first."""

    lines: list[LineView]


class EventView(BaseModel):
    """Something that reached the hub from the far side, or was not taken by the adapter.

    *state* is pending, done, stale or dead; a dead one can be replayed by its *id*.
    """

    id: str
    at: datetime
    kind: str
    object: str
    state: str
    attempts: int
    error: str


class EventsView(BaseModel):
    """The latest events, newest first."""

    events: list[EventView]


def router(hub: Hub, watch: Watch, processes: Processes) -> APIRouter:
    """Return the routes of one adapter's page."""
    routes = APIRouter(prefix="/api/v1/adapters", tags=["adapters"])

    @routes.get("/{instance}")
    async def page(instance: str, principal: Reader) -> AdapterPage:
        """Return one instance with its figures of the last hour."""
        one = instance_of(hub, principal, instance)
        return page_of(hub, one, await processes.of(one))

    @routes.get("/{instance}/logs")
    async def logs(
        instance: str, principal: Admin, after: Annotated[int, Query(ge=0)] = 0
    ) -> LogView:
        """Return the latest log lines about one instance, secrets hidden."""
        one = instance_of(hub, principal, instance)
        return LogView(lines=[LineView(**_plain(line)) for line in watch.lines(one, after)])

    @routes.get("/{instance}/events")
    async def events(instance: str, principal: Admin) -> EventsView:
        """Return the signals that arrived from one instance, and what it did not take."""
        one = instance_of(hub, principal, instance)
        return EventsView(events=await events_of(hub, one))

    @routes.get("/{instance}/diagnostics")
    async def diagnostics(instance: str, principal: Admin) -> Response:
        """Return everything for a report of a problem, without secrets, as one JSON file."""
        one = instance_of(hub, principal, instance)
        told = await diagnostics_of(hub, watch, one, await processes.of(one))
        body = await asyncio.to_thread(_redacted, told, one)
        name = f"deskhub-{one.id}-diagnostics.json"
        return Response(
            body,
            media_type="application/json",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    return routes


def instance_of(hub: Hub, principal: Principal, instance: str) -> Running:
    """Return an instance of the caller's tenant. Raises `UnknownInstance`."""
    one = hub.host.instance(instance)
    if one.tenant != principal.tenant or one.built_in:
        raise UnknownInstance(instance)
    return one


def page_of(hub: Hub, one: Running, found: Sequence[InProcess]) -> AdapterPage:
    """Return *one* as its page shows it; *found* is how it feels in each process."""
    meta, felt = one.meta, together(found)
    settings = hub.config.adapters.get(one.id)
    return AdapterPage(
        **adapter_view(one, felt).model_dump(),
        summary=meta.summary if meta is not None else "",
        isolation=settings.isolation if settings is not None else "process",
        layers=list(one.layers),
        net=list(meta.permissions.net) if meta is not None else [],
        reads=list(meta.permissions.reads) if meta is not None else [],
        writes=list(meta.permissions.writes) if meta is not None else [],
        languages=sorted(meta.texts) if meta is not None else [],
        methods=methods_of(one),
        breaker=felt.breaker,
        in_flight=felt.in_flight,
        waiting=felt.waiting,
        late=felt.late,
        busy=felt.busy,
        http_calls=felt.http_calls,
        next_try=one.next_try,
        problems=[
            ProblemView(code=p.code, what=p.what, where=p.where, why=p.why, fix=p.fix)
            for p in one.problems
        ],
        samples=_samples(felt),
        processes=[_in_process(each) for each in found],
    )


async def events_of(hub: Hub, one: Running) -> list[EventView]:
    """Return what arrived from *one* and what it did not take, newest first."""
    arrived, missed = await hub.store.read(
        lambda db: (
            signals.recent(db, one.tenant, one.id, EVENTS),
            hookcursors.dead(db, one.tenant, one.id, EVENTS),
        )
    )
    found = [_arrived(row) for row in arrived]
    found += [
        EventView(
            id=f"log:{letter.seq}",
            at=letter.at,
            kind=letter.hook,
            object=str(letter.seq),
            state="dead",
            attempts=letter.attempts,
            error=letter.error,
        )
        for letter in missed
    ]
    return sorted(found, key=lambda event: event.at, reverse=True)


async def diagnostics_of(
    hub: Hub, watch: Watch, one: Running, found: Sequence[InProcess]
) -> dict[str, Any]:
    """Return everything about *one* that helps to find a fault; secrets still in it."""
    settings = hub.config.adapters.get(one.id)
    config = dict(settings.config) if settings is not None else {}
    secret = settings.secret_keys if settings is not None else frozenset()
    return {
        "deskhub": __version__,
        "at": hub.clock.now(),
        "adapter": page_of(hub, one, found).model_dump(),
        "settings": {key: HIDDEN if key in secret else one for key, one in config.items()},
        "limits": settings.limits.model_dump() if settings is not None else {},
        "logs": [_plain(line) for line in watch.lines(one)],
        "events": [event.model_dump() for event in await events_of(hub, one)],
    }


def _redacted(told: dict[str, Any], one: Running) -> bytes:
    """Return *told* as JSON without any of *one*'s secrets, wherever they came in."""
    text = orjson.dumps(told, default=str, option=orjson.OPT_INDENT_2).decode()
    return without(text, [s for s in one.secrets().values() if len(s) >= SECRET_CHARS]).encode()


def _in_process(each: InProcess) -> ProcessView:
    felt = each.felt
    return ProcessView(
        name=each.name, at=each.at, here=each.is_here, gone=each.is_gone, state=felt.state,
        text=felt.text, breaker=felt.breaker, calls=felt.calls, errors=felt.errors,
        late=felt.late, busy=felt.busy, in_flight=felt.in_flight, waiting=felt.waiting,
        p95_ms=felt.p95_ms, samples=_samples(felt),
    )  # fmt: skip


def _samples(felt: Felt) -> list[SampleView]:
    return [
        SampleView(
            at=moment(one), calls=one.calls, errors=one.errors, p95_ms=one.p95_ms,
            state=one.state,
        )
        for one in felt.points
    ]  # fmt: skip


def _arrived(row: SignalRow) -> EventView:
    try:
        kind = str(orjson.loads(row.body).get("kind", ""))
    except orjson.JSONDecodeError:
        kind = ""
    return EventView(
        id=row.dedupe,
        at=row.received_at,
        kind=kind,
        object=row.object,
        state=row.state,
        attempts=row.attempts,
        error=row.error,
    )


def _plain(record: Any) -> dict[str, Any]:  # noqa: ANN401  a frozen dataclass
    return {name: getattr(record, name) for name in record.__slots__}
