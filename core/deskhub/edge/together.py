"""What adapters did in several processes, as one: figures added up, the worst of each state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

MINUTE_S = 60
MINUTES = 60
# From what needs a person to what is as it should be.
_WORST = (
    "incompatible", "config_invalid", "quarantined", "auth_required", "stopped", "backoff",
    "degraded", "draining", "starting", "validated", "discovered", "ready", "disabled",
)  # fmt: skip
_BREAKERS = ("open", "probing", "closed")


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One instance's figures at *at*, seconds since 1970: totals since the process began."""

    at: float
    calls: int
    errors: int
    p95_ms: float
    state: str

    @property
    def minute(self) -> int:
        """Return the minute it belongs to."""
        return int(self.at // MINUTE_S)


class Felt(msgspec.Struct, frozen=True, kw_only=True):
    """How one instance feels in one process."""

    state: str
    text: str
    breaker: str
    calls: int
    errors: int
    late: int
    busy: int
    http_calls: int
    in_flight: int
    waiting: int
    p95_ms: float
    points: list[Point]


class InProcess(msgspec.Struct, frozen=True, kw_only=True):
    """One instance in one process; what *is_gone* ended, and its figures are its last."""

    name: str
    at: datetime
    is_here: bool
    is_gone: bool
    felt: Felt


def by_the_minute(points: Sequence[Point]) -> list[Point]:
    """Return the last of *points* in each minute, oldest first, and no more than an hour."""
    return list({one.minute: one for one in points}.values())[-MINUTES:]


def together(found: Sequence[InProcess]) -> Felt:
    """Return all of *found*, at least one, as one instance.

    Calls and errors are added up; of times the longest counts, of states the worst of those
    that still run.
    """
    live = [one.felt for one in found if not one.is_gone] or [found[0].felt]
    every = [one.felt for one in found]
    worst = min(live, key=lambda one: _rank(one.state))
    return Felt(
        state=worst.state,
        text=worst.text,
        breaker=min((one.breaker for one in live), key=_BREAKERS.index),
        calls=sum(one.calls for one in every),
        errors=sum(one.errors for one in every),
        late=sum(one.late for one in every),
        busy=sum(one.busy for one in every),
        http_calls=sum(one.http_calls for one in every),
        in_flight=sum(one.in_flight for one in live),
        waiting=sum(one.waiting for one in live),
        p95_ms=max(one.p95_ms for one in live),
        points=every[0].points if len(every) == 1 else _joined([one.points for one in every]),
    )


def moment(point: Point) -> datetime:
    """Return when *point* was taken."""
    return datetime.fromtimestamp(point.at, UTC)


def _joined(rows: Sequence[Sequence[Point]]) -> list[Point]:
    """Return one row of points, a minute apart; what a process has counted stays counted."""
    by_minute = [{one.minute: one for one in row} for row in rows]
    minutes = sorted({minute for row in by_minute for minute in row})[-MINUTES:]
    last: list[Point | None] = [
        _before(row, minutes[0]) if minutes else None for row in by_minute
    ]
    joined = []
    for minute in minutes:
        now = [row[minute] for row in by_minute if minute in row]
        last = [row.get(minute, before) for row, before in zip(by_minute, last, strict=True)]
        counted = [one for one in last if one is not None]
        joined.append(
            Point(
                max(one.at for one in now),
                sum(one.calls for one in counted),
                sum(one.errors for one in counted),
                max(one.p95_ms for one in now),
                min((one.state for one in now), key=_rank),
            )
        )
    return joined


def _before(row: dict[int, Point], minute: int) -> Point | None:
    earlier: Iterable[int] = (one for one in row if one < minute)
    latest = max(earlier, default=None)
    return row[latest] if latest is not None else None


def _rank(state: str) -> int:
    return _WORST.index(state) if state in _WORST else 0
