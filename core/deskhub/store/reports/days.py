"""Days of a time zone as moments, and as something that a database can group by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa

from deskhub.store.metadata import to_micros

DAYS_MAX = 366
_DAY = timedelta(days=1)
_DAY_MICROS = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Span:
    """The days from *first* to *last*, both included, on the calendar of *zone*."""

    first: date
    last: date
    zone: tzinfo

    @property
    def start(self) -> datetime:
        """Return the moment at which the first day begins."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """Return the moment at which the last day is over."""
        return midnight(self.last + _DAY, self.zone)

    @property
    def days(self) -> Sequence[date]:
        """Return every day."""
        return [self.first + n * _DAY for n in range((self.last - self.first).days + 1)]

    def before(self) -> Span:
        """Return as many days that end where these begin."""
        last = self.first - _DAY
        return Span(last - (self.last - self.first), last, self.zone)

    def day_of(self, moment: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
        """Return the day that *moment*, a column of times in this span, falls on.

        As a number; `day` makes a date of it. A clock change is a change of the number of
        seconds to add, so that no database has to know the zone.
        """
        micros = sa.type_coerce(moment, sa.BigInteger)
        offsets = self._offsets()
        last = offsets[-1][1] * 1_000_000
        added: sa.ColumnElement[int] = sa.literal(last, sa.BigInteger)
        if len(offsets) > 1:
            changes = [
                (micros < to_micros(until), offset * 1_000_000)
                for until, offset in offsets[:-1]
            ]
            added = sa.case(*changes, else_=last)
        return (micros + added) // sa.literal(_DAY_MICROS, sa.BigInteger)

    def _offsets(self) -> list[tuple[datetime, int]]:
        """Return (until, seconds east of UTC) of each part of the span with one offset."""
        found: list[tuple[datetime, int]] = []
        at, end = self.start, self.end
        while at < end:
            following = min(at + _DAY, end)
            if _offset(at, self.zone) != _offset(following, self.zone):
                change = _change(at, following, self.zone)
                found.append((change, _offset(at, self.zone)))
            at = following
        return [*found, (end, _offset(end, self.zone))]


def day(number: int) -> date:
    """Return the date of a number that `Span.day_of` gave."""
    return date.fromordinal(_EPOCH_DAY + number)


def midnight(day_: date, zone: tzinfo) -> datetime:
    """Return the moment at which *day_* begins in *zone*, in UTC."""
    return datetime.combine(day_, time(), zone).astimezone(UTC)


def _offset(moment: datetime, zone: tzinfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the first second between two moments at which the offset is the later one's."""
    offset = _offset(before, zone)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after
