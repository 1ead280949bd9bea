"""Opening time: which moments count, and when a number of them has passed.

Wall clocks jump and people close on holidays; here everything is a list of spans in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# An inbox that opens seldom still gets an answer; one that never does gets none.
LOOK_AHEAD_DAYS = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Opening times: *week* has each day's spans, Monday first, in minutes of its clock."""

    zone: str = "UTC"
    week: Sequence[Sequence[tuple[int, int]]] = ((((0, 1440)),),) * 7
    holidays: frozenset[date] = frozenset()

    def spans(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the open spans between two moments, in order, in UTC.

        What a clock change skips does not exist; what it repeats is open once more.
        """
        zone = ZoneInfo(self.zone)
        day = after.astimezone(zone).date() - _DAY
        last = until.astimezone(zone).date()
        done = after
        while day <= last:
            for first, end in () if day in self.holidays else self.week[day.weekday()]:
                # An edge that a clock change skips lies in the next span: nothing counts twice.
                start = max(done, _moment(day, first, zone))
                stop = min(until, _moment(day, end, zone))
                if start < stop:
                    done = stop
                    yield start.astimezone(UTC), stop.astimezone(UTC)
            day += _DAY

    def due(self, start: datetime, budget_s: float) -> datetime | None:
        """Return when *budget_s* seconds of opening time have passed since *start*.

        None when that is further away than a year. A budget that is used up was due at once.
        """
        left = timedelta(seconds=max(0.0, budget_s))
        if not left:
            return start.astimezone(UTC)
        for first, end in self.spans(start, start + LOOK_AHEAD_DAYS * _DAY):
            if end - first >= left:
                return first + left
            left -= end - first
        return None

    def elapsed_s(self, start: datetime, end: datetime) -> float:
        """Return the seconds of opening time between two moments."""
        return sum((last - first).total_seconds() for first, last in self.spans(start, end))


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return a wall time of *day* as a moment; 24:00 is the next day's midnight."""
    days, minute = divmod(minute, 1440)
    clock = time(minute // 60, minute % 60)
    return datetime.combine(day + timedelta(days=days), clock, zone).astimezone(UTC)
