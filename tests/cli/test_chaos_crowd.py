"""The crowd of ``deskhub chaos`` goes home when it is told to."""

from __future__ import annotations

import asyncio

from deskhub.cli.chaos.crowd import until_ended


async def test_who_forgets_a_cancellation_is_told_again() -> None:
    told = []

    async def forgetful(times: int) -> None:
        while len(told) < times:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                told.append(times)
        await asyncio.sleep(3600)

    task = asyncio.get_running_loop().create_task(forgetful(2))
    await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await until_ended([task])

    assert task.cancelled()
    assert told == [2, 2]
