"""Answers may be two seconds old and never older; a revocation is not overwritten."""

from __future__ import annotations

import asyncio

from deskhub.identity.recent import Recent
from tests.identity.clock import TestClock


async def test_an_answer_is_asked_for_again_when_it_is_old() -> None:
    clock, asked = TestClock(), []
    recent: Recent[str, int] = Recent(clock, 2.0)

    async def ask() -> int:
        asked.append(1)
        return len(asked)

    assert await recent.get("a", ask) == 1
    clock.forward(1.9)
    assert await recent.get("a", ask) == 1
    clock.forward(0.2)
    assert await recent.get("a", ask) == 2


async def test_an_answer_from_before_a_revocation_is_not_kept() -> None:
    recent: Recent[str, str] = Recent(TestClock(), 2.0)
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        asked.set()
        await may_answer.wait()
        return "valid"

    async def now() -> str:
        return "revoked"

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(recent.get("a", slow))
        await asked.wait()
        recent.forget("a")
        may_answer.set()

    assert reading.result() == "valid"
    assert await recent.get("a", now) == "revoked"


async def test_the_memory_is_bounded() -> None:
    recent: Recent[int, int] = Recent(TestClock(), 60.0, limit=10)

    for number in range(1000):

        async def ask(number: int = number) -> int:
            return number

        await recent.get(number, ask)

    assert len(recent._kept) == 10
