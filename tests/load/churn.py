"""Visitors who come and go: afterwards nothing of them is left."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import asdict, astuple, dataclass

from deskhub.store.tail import RING_EVENTS
from tests.load.programs import Program
from tests.load.rates import Plan, Told, the_hub
from tests.load.report import Row
from tests.load.talkers import hello, message

AT_ONCE = 256
ROUNDS = 3


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    descriptors: int
    tasks: int
    threads: int
    memory_kb: int

    def is_back(self, before: Held) -> bool:
        """Return whether this is what was held *before*, within five and five per cent."""
        counts = zip(astuple(self)[:-1], astuple(before)[:-1], strict=True)
        return all(abs(now - then) <= 5 for now, then in counts) and (
            self.memory_kb <= before.memory_kb * 1.05
        )


async def churn(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row about *plan.churn* visitors who write and leave, three rounds."""
    async with the_hub(plan.churn) as (server, people):
        tokens = people["visitors"]["main"]
        # The first rounds fill what is meant to stay: the newest events, the database's pages.
        warm = math.ceil(1.5 * RING_EVENTS / plan.churn)
        for number in range(warm):
            await _round(server, tokens, number)
        before = await _settled(server)
        for number in range(warm, warm + ROUNDS):
            await _round(server, tokens, number)
        after = await _settled(server)
        crashed = server.process.returncode is not None
    growth = after.memory_kb / before.memory_kb - 1
    yield Row(
        f"churn: {plan.churn:,} visitors × {AT_ONCE} at once, {ROUNDS} rounds",
        f"descriptors {before.descriptors} → {after.descriptors}, tasks {before.tasks} → "
        f"{after.tasks}, threads {before.threads} → {after.threads}, memory "
        f"{before.memory_kb / 1024:.0f} → {after.memory_kb / 1024:.0f} MB ({growth:+.1%})",
        "no crash; counts back to ± 5, memory to ± 5 %",
        not crashed and after.is_back(before),
        {"before": asdict(before), "after": asdict(after)},
    )


async def _round(server: Program, tokens: list[str], number: int) -> None:
    waiting = list(enumerate(tokens))

    async def visits() -> None:
        while waiting:
            who, token = waiting.pop()
            stored = asyncio.Event()

            def heard(text: bytes, stored: asyncio.Event = stored) -> None:
                if text.startswith(b'{"t":"result"'):
                    stored.set()

            source = f"127.0.1.{1 + who % 20}"
            wire = await hello(server.port, token, heard, source=source)
            wire.send(message("new", f"churn-{number}-{who}", "hello"))
            async with asyncio.timeout(30):
                await stored.wait()
            wire.hang_up()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(visits())


async def _settled(server: Program) -> Held:
    """Return what it holds once that no longer falls, within some seconds."""
    best = await _held(server)
    for _ in range(10):
        await asyncio.sleep(0.3)
        now = await _held(server)
        if astuple(now) >= astuple(best):
            break
        best = now
    return best


async def _held(server: Program) -> Held:
    census = await server.ask("census")
    return Held(server.descriptors(), census["tasks"], census["threads"], server.pss_kb())
