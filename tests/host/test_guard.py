"""Bulkhead and breaker: how much one instance may hold, and when it is left alone."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskhub.host.errors import InstanceBusy
from deskhub.host.guard import Breaker, Bulkhead, Guard
from deskhub_sdk import NotFound, Throttled, Unavailable


class Time:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def tripped(time: Time, retry_after_s: float | None = None) -> Breaker:
    breaker = Breaker(time)
    for _ in range(20):
        breaker.admit()
        breaker.record(ok=False, retry_after_s=retry_after_s)
    assert breaker.phase == "open"
    return breaker


async def test_sixteen_calls_run_sixty_four_wait_and_the_next_is_refused() -> None:
    bulkhead = Bulkhead()
    release = asyncio.Event()
    running = 0

    async def one() -> None:
        nonlocal running
        async with bulkhead:
            running += 1
            await release.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(16 + 64):
            group.create_task(one())
        while bulkhead.waiting < 64:
            await asyncio.sleep(0)
        assert running == 16
        with pytest.raises(InstanceBusy):
            await one()
        release.set()

    assert running == 80
    assert (bulkhead.in_flight, bulkhead.waiting) == (0, 0)


async def test_a_caller_that_leaves_the_queue_takes_nobodys_place() -> None:
    bulkhead = Bulkhead(in_flight=1, waiting=2)
    release = asyncio.Event()

    async def one() -> None:
        async with bulkhead:
            await release.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(one())
        leaving = group.create_task(one())
        group.create_task(one())
        while bulkhead.waiting < 2:
            await asyncio.sleep(0)
        leaving.cancel()
        while bulkhead.waiting == 2:
            await asyncio.sleep(0)
        release.set()

    assert bulkhead.in_flight == 0


async def test_a_place_handed_over_in_the_turn_of_a_cancellation_is_not_lost() -> None:
    bulkhead = Bulkhead(in_flight=1)

    async def one() -> None:
        async with bulkhead:
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        await bulkhead.__aenter__()
        waiter = group.create_task(one())
        while bulkhead.waiting == 0:
            await asyncio.sleep(0)
        await bulkhead.__aexit__()
        waiter.cancel()

    assert bulkhead.in_flight == 0


def test_half_of_twenty_failed_calls_open_the_breaker() -> None:
    breaker = Breaker(Time())

    for number in range(19):
        breaker.record(ok=number % 2 == 0)
    assert breaker.phase == "closed"
    breaker.record(ok=False)

    assert breaker.phase == "open"
    with pytest.raises(InstanceBusy):
        breaker.admit()


def test_nineteen_failures_are_not_enough() -> None:
    breaker = Breaker(Time())

    for _ in range(19):
        breaker.record(ok=False)

    assert breaker.phase == "closed"


def test_failures_older_than_thirty_seconds_are_forgotten() -> None:
    time = Time()
    breaker = Breaker(time)
    for _ in range(19):
        breaker.record(ok=False)

    time.at += 31
    breaker.record(ok=False)

    assert breaker.phase == "closed"


def test_after_thirty_seconds_one_probe_is_let_through_and_closes_it() -> None:
    time = Time()
    breaker = tripped(time)

    time.at += 30
    assert breaker.admit() is True
    with pytest.raises(InstanceBusy):
        breaker.admit()
    breaker.record(ok=True, probe=True)

    assert breaker.phase == "closed"
    assert breaker.admit() is False


def test_a_failed_probe_opens_it_again() -> None:
    time = Time()
    breaker = tripped(time)
    time.at += 30

    breaker.record(ok=False, probe=breaker.admit())
    time.at += 29

    with pytest.raises(InstanceBusy):
        breaker.admit()


def test_it_stays_open_as_long_as_the_far_side_asked() -> None:
    time = Time()
    breaker = tripped(time, retry_after_s=120)

    time.at += 119
    with pytest.raises(InstanceBusy) as refused:
        breaker.admit()
    time.at += 2

    assert refused.value.retry_after_s == pytest.approx(1, abs=0.01)
    assert breaker.admit() is True


def test_a_probe_whose_caller_left_gives_its_turn_back() -> None:
    time = Time()
    breaker = tripped(time)
    time.at += 30

    breaker.give_back(probe=breaker.admit())

    assert breaker.admit() is True


@given(st.lists(st.sampled_from(["admit", "ok", "fail", "drop", "wait"]), max_size=200))
def test_there_is_never_more_than_one_probe(moves: list[str]) -> None:
    """Whatever callers do and in whatever order, at most one probe is under way."""
    time = Time()
    breaker = tripped(time)
    under_way: list[bool] = []

    for move in moves:
        if move == "wait":
            time.at += 10
        elif move == "admit":
            try:
                under_way.append(breaker.admit())
            except InstanceBusy:
                continue
        elif under_way:
            probe = under_way.pop(0)
            if move == "drop":
                breaker.give_back(probe=probe)
            else:
                breaker.record(ok=move == "ok", probe=probe)
        assert under_way.count(True) <= 1
        assert breaker.phase != "probing" or under_way.count(True) == 1


async def test_a_hundred_callers_at_once_make_one_probe() -> None:
    time = Time()
    guard = Guard(time)
    guard.breaker = tripped(time)
    time.at += 30
    called = 0

    async def one() -> bool:
        nonlocal called
        try:
            ticket = guard.admit()
        except InstanceBusy:
            return False
        called += 1
        await asyncio.sleep(0)
        ticket.ok()
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(100)]

    assert called == 1
    assert sum(task.result() for task in tasks) == 1


def test_an_answer_that_says_no_is_not_a_failure_of_the_far_side() -> None:
    guard = Guard(Time())

    for _ in range(40):
        guard.admit().failed(NotFound("order 9"))

    assert guard.breaker.phase == "closed"
    assert guard.figures.errors == 0


def test_deadlines_missed_because_the_hub_was_slow_do_not_count_against_the_adapter() -> None:
    guard = Guard(Time())

    for _ in range(40):
        guard.admit().late(hub_lagged=True)

    assert guard.breaker.phase == "closed"
    assert guard.figures.late == 40


def test_throttling_opens_it_for_the_time_that_was_asked_for() -> None:
    time = Time()
    guard = Guard(time)
    for _ in range(20):
        guard.admit().failed(Throttled("slow down", retry_after_s=90))

    time.at += 89

    with pytest.raises(InstanceBusy):
        guard.admit()


def test_the_first_outcome_of_a_call_counts() -> None:
    guard = Guard(Time())
    ticket = guard.admit()

    ticket.late()
    ticket.ok()
    ticket.failed(Unavailable())

    assert (guard.figures.calls, guard.figures.late, guard.figures.errors) == (1, 1, 0)
