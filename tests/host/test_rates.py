"""The rate budget: what a far side says is left is shared, waited for, or told at once."""

from __future__ import annotations

import asyncio

import pytest

from deskhub.host.rates import RateBudget
from deskhub_sdk import Throttled
from tests.support.idle_clock import run

SPELLINGS = [
    {"ratelimit-remaining": "2", "ratelimit-reset": "10"},
    {"x-ratelimit-remaining": "2", "x-ratelimit-reset": "1700000010"},
    {"ratelimit": "limit=100, remaining=2, reset=10"},
    {"ratelimit": '"default";r=2;t=10'},
]


@pytest.mark.parametrize("headers", SPELLINGS)
def test_what_is_left_is_shared_by_all_callers_and_the_rest_waits(
    headers: dict[str, str],
) -> None:
    async def work() -> list[float]:
        budget, loop = RateBudget(), asyncio.get_running_loop()
        budget.learn(headers, loop.time(), 1_700_000_000)
        left: list[float] = []

        async def call() -> None:
            await budget.spend("GET x", loop.time() + 60)
            left.append(loop.time())

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(call())
        return left

    assert run(work) == pytest.approx([0, 0, 10, 10, 10])


def test_whoever_has_no_time_to_wait_is_told_at_once_for_how_long() -> None:
    async def work() -> float | None:
        budget, loop = RateBudget(), asyncio.get_running_loop()
        budget.pause(loop.time(), 30)
        with pytest.raises(Throttled) as thrown:
            await budget.spend("GET x", loop.time() + 2)
        assert loop.time() == 0
        return thrown.value.retry_after_s

    assert run(work) == pytest.approx(30)


def test_an_answer_that_was_overtaken_gives_nothing_back() -> None:
    async def work() -> float | None:
        budget = RateBudget()
        budget.learn({"ratelimit-remaining": "1", "ratelimit-reset": "9"}, 0.0, 0.0)
        budget.learn({"ratelimit-remaining": "7", "ratelimit-reset": "9"}, 0.0, 0.0)
        await budget.spend("GET x", 1.0)
        with pytest.raises(Throttled) as thrown:
            await budget.spend("GET x", 1.0)
        return thrown.value.retry_after_s

    assert run(work) == pytest.approx(9)


@pytest.mark.parametrize(
    "headers", [{}, {"ratelimit-remaining": "many"}, {"x-ratelimit-remaining": "0"}]
)
def test_without_readable_headers_nothing_is_held_back(headers: dict[str, str]) -> None:
    async def work() -> float:
        budget, loop = RateBudget(), asyncio.get_running_loop()
        budget.learn(headers, loop.time(), 0.0)
        for _ in range(100):
            await budget.spend("GET x", loop.time() + 1)
        return loop.time()

    assert run(work) == 0
