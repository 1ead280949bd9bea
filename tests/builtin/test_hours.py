"""Opening time: clock changes, holidays, and agreement with a minute by minute count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deskhub.builtin.hours import OpeningHours
from deskhub.config.hours import Hours, Sla

OFFICE = (((540, 1080),),) * 5 + ((), ())
ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_a_question_of_friday_evening_is_due_on_monday_morning() -> None:
    hours = OpeningHours("Asia/Shanghai", OFFICE)

    due = hours.due(at("2026-11-20T17:50", "Asia/Shanghai"), 30 * 60)

    assert due == at("2026-11-23T09:20", "Asia/Shanghai")


def test_a_holiday_does_not_count() -> None:
    hours = OpeningHours("Asia/Shanghai", OFFICE, frozenset({date(2026, 11, 23)}))

    due = hours.due(at("2026-11-20T17:50", "Asia/Shanghai"), 30 * 60)

    assert due == at("2026-11-24T09:20", "Asia/Shanghai")


def test_the_night_in_which_clocks_go_back_has_an_hour_more() -> None:
    always = OpeningHours("Europe/Berlin", (((0, 1440),),) * 7)

    assert (
        always.elapsed_s(
            at("2026-10-25T00:00", "Europe/Berlin"), at("2026-10-26T00:00", "Europe/Berlin")
        )
        == 25 * 3600
    )
    assert (
        always.elapsed_s(
            at("2026-03-29T00:00", "Europe/Berlin"), at("2026-03-30T00:00", "Europe/Berlin")
        )
        == 23 * 3600
    )


def test_who_never_opens_owes_no_answer() -> None:
    assert OpeningHours("UTC", ((),) * 7).due(at("2026-11-20T12:00"), 60) is None


spans = (
    st.lists(
        st.integers(0, 24).map(lambda hour: hour * 60), min_size=0, max_size=4, unique=True
    )
    .map(sorted)
    .map(lambda edges: tuple(zip(edges[::2], edges[1::2], strict=False)))
)
weeks = st.lists(spans, min_size=7, max_size=7).map(tuple)
moments = st.integers(0, 270 * 24 * 60).map(
    lambda minute: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(weeks, st.sampled_from(ZONES), moments, st.integers(1, 3 * 24 * 60))
def test_the_spans_are_what_a_clock_on_the_wall_says(week, zone, start, minutes) -> None:
    hours, clock = OpeningHours(zone, week), ZoneInfo(zone)
    end = start + timedelta(minutes=minutes)

    counted = 0
    for number in range(minutes):
        local = (start + timedelta(minutes=number)).astimezone(clock)
        minute = local.hour * 60 + local.minute
        counted += any(first <= minute < last for first, last in week[local.weekday()])

    # A span whose edge lies inside a clock change may be longer or shorter by that change.
    change = abs(
        (start - timedelta(days=2)).astimezone(clock).utcoffset()
        - (end + timedelta(days=2)).astimezone(clock).utcoffset()
    )
    assert abs(hours.elapsed_s(start, end) / 60 - counted) <= change.total_seconds() / 60


@given(weeks, st.sampled_from(ZONES), moments, st.integers(1, 40 * 3600))
def test_what_is_due_has_passed_exactly_then(week, zone, start, budget_s) -> None:
    hours = OpeningHours(zone, week)

    due = hours.due(start, budget_s)

    if due is None:
        assert hours.elapsed_s(start, start + timedelta(days=60)) < budget_s
    else:
        assert hours.elapsed_s(start, due) == pytest.approx(budget_s)
        assert hours.elapsed_s(start, due - timedelta(seconds=1)) < budget_s


@given(weeks, st.sampled_from(ZONES), moments, st.integers(1, 3600), st.integers(0, 3600))
def test_more_to_do_is_never_due_earlier(week, zone, start, budget_s, more_s) -> None:
    hours = OpeningHours(zone, week)
    first, later = hours.due(start, budget_s), hours.due(start, budget_s + more_s)

    assert first is None or later is None or first <= later


def test_hours_are_written_as_people_write_them() -> None:
    hours = Hours(zone="Asia/Shanghai", mon="09:00-12:00, 13:00-18:00", holidays=["2026-10-01"])

    assert hours.week[0] == ((540, 720), (780, 1080))
    assert hours.week[6] == ()
    assert hours.holidays == (date(2026, 10, 1),)
    assert Sla(response="30m", resolution="8h") == Sla(response="30m", resolution="480m")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"zone": "Mars/Base"}, "IANA zone"),
        ({"mon": "18:00-09:00"}, "ends before it begins"),
        ({"mon": "09:00-12:00, 11:00-13:00"}, "before the one before"),
        ({"mon": "nine to five"}, "09:00-18:00"),
        ({"mon": 9}, "09:00-12:00"),
        ({"holidays": ["1 October"]}, "2026-10-01"),
    ],
)
def test_a_mistake_says_how_it_is_written(settings, words) -> None:
    with pytest.raises(ValidationError, match=words):
        Hours(**settings)
