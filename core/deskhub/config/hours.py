"""When an inbox is staffed, and how soon its customers are answered."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*\Z")
_TARGET = re.compile(r"(\d+)(m|h)\Z")

Span = tuple[int, int]


def spans(value: object) -> tuple[Span, ...]:
    """Return ``"09:00-12:00, 13:00-18:00"`` as minutes since midnight, in order."""
    if not isinstance(value, str):
        raise ValueError('opening times are written like "09:00-12:00, 13:00-18:00"')
    found: list[Span] = []
    for part in filter(str.strip, value.split(",")):
        match = _SPAN.match(part)
        if not match:
            raise ValueError(f'opening times are written like "09:00-18:00", got {part!r}')
        first, last = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
        if not 0 <= first < last <= 24 * 60:
            raise ValueError(f"{part.strip()!r} ends before it begins or after 24:00")
        if found and found[-1][1] > first:
            raise ValueError(f"{part.strip()!r} begins before the one before it ends")
        found.append((first, last))
    return tuple(found)


def holiday(value: object) -> date:
    """Return a day; TOML knows days, and a text works as well."""
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"a holiday is written like 2026-10-01, got {value!r}") from error


def target(value: object) -> float:
    """Return a target such as "30m" or "8h" in seconds."""
    if isinstance(value, str) and (match := _TARGET.match(value)) and int(match[1]):
        return int(match[1]) * {"m": 60.0, "h": 3600.0}[match[2]]
    raise ValueError('a target is written like "30m" or "8h"')


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"must be an IANA zone such as Asia/Shanghai, got {name!r}") from error
    return name


_Spans = Annotated[tuple[Span, ...], BeforeValidator(spans)]
_Target = Annotated[float, BeforeValidator(target)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Hours(_Part):
    """``[inboxes.NAME.hours]``: when somebody is there, on the wall clock of *zone*.

    A day that is not named is closed, and so is a day in *holidays*.
    """

    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    mon: _Spans = ()
    tue: _Spans = ()
    wed: _Spans = ()
    thu: _Spans = ()
    fri: _Spans = ()
    sat: _Spans = ()
    sun: _Spans = ()
    holidays: Annotated[
        tuple[Annotated[date, BeforeValidator(holiday)], ...],
        BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    ] = ()

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        """Return the seven days, Monday first."""
        return tuple(getattr(self, day) for day in DAYS)


class Sla(_Part):
    """``[inboxes.NAME.sla]``: targets in opening time.

    *response* is for each wait of a customer, *resolution* for a conversation; time in which
    it is the customer's turn, or the conversation is snoozed, does not count.
    """

    response: _Target | None = None
    resolution: _Target | None = None
