"""Several processes' figures as one: what was counted is added up, of states the worst counts."""

from __future__ import annotations

from datetime import UTC, datetime

from deskhub.edge.together import Felt, InProcess, Point, by_the_minute, together

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def felt(state: str = "ready", breaker: str = "closed", *points: Point, calls: int = 0) -> Felt:
    return Felt(
        state=state, text=f"It is {state}.", breaker=breaker, calls=calls, errors=1, late=2,
        busy=3, http_calls=4, in_flight=5, waiting=6, p95_ms=float(calls), points=list(points),
    )  # fmt: skip


def process(name: str, of: Felt, *, gone: bool = False) -> InProcess:
    return InProcess(name=name, at=AT, is_here=name == "a", is_gone=gone, felt=of)


def at(minute: int, calls: int, p95_ms: float = 1.0, state: str = "ready") -> Point:
    return Point(minute * 60.0 + 5, calls, 0, p95_ms, state)


def test_figures_are_added_up_and_the_worst_state_is_everybodys() -> None:
    one = together(
        [process("a", felt(calls=10)), process("b", felt("degraded", "open", calls=20))]
    )

    assert (one.state, one.text, one.breaker) == ("degraded", "It is degraded.", "open")
    assert (one.calls, one.errors, one.in_flight, one.p95_ms) == (30, 2, 10, 20.0)


def test_what_ended_still_counts_and_is_in_no_state() -> None:
    one = together(
        [process("a", felt(calls=10)), process("b", felt("quarantined", calls=20), gone=True)]
    )

    assert (one.state, one.calls, one.in_flight, one.p95_ms) == ("ready", 30, 5, 10.0)


def test_the_hour_is_joined_by_the_minute_and_never_counts_back() -> None:
    here = felt("ready", "closed", at(1, 5), at(2, 7), at(4, 9, 8.0))
    there = felt("ready", "closed", at(2, 100, 3.0, "degraded"))

    joined = together([process("a", here), process("b", there, gone=True)]).points

    assert [(int(one.at // 60), one.calls, one.p95_ms, one.state) for one in joined] == [
        (1, 5, 1.0, "ready"), (2, 107, 3.0, "degraded"), (4, 109, 8.0, "ready"),
    ]  # fmt: skip


def test_one_alone_keeps_every_sample() -> None:
    points = [at(1, 5), Point(66.0, 6, 0, 1.0, "ready")]

    assert together([process("a", felt("ready", "closed", *points))]).points == points


def test_what_is_shared_is_an_hour_by_the_minute() -> None:
    every_ten_s = [Point(10.0 * n, n, 0, 1.0, "ready") for n in range(1000)]

    kept = by_the_minute(every_ten_s)

    assert len(kept) == 60
    assert (kept[-1].calls, kept[-2].calls) == (999, 995)
