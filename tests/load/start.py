"""A hub with the demo's adapters: how soon it answers, and what it holds while nobody is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.load.programs import pss_kb
from tests.load.rates import Plan, Told
from tests.load.report import Row
from tests.support.desk import answers, desk

ROUNDS = 3
IDLE_S = 3.0


async def start(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row about ``deskhub serve`` with six adapters and their systems."""
    rounds = []
    with desk() as hub:
        token = await asyncio.to_thread(hub.sign_in)
        await asyncio.to_thread(hub.adapters_ready, token)
        for _ in range(ROUNDS):
            await asyncio.to_thread(hub.stop)
            began = time.perf_counter()
            await asyncio.to_thread(hub.start)
            rounds.append(time.perf_counter() - began)
        await asyncio.to_thread(hub.adapters_ready, token)
        await asyncio.sleep(IDLE_S)
        assert hub.hub is not None
        assert answers(f"{hub.api}/readyz")
        own, workers = _memory_mb(hub.hub.pid)
    first = min(rounds)
    yield Row(
        "idle hub with demo adapters: hub, + its workers / first answer",
        f"{own:.0f} MB, + {workers:.0f} MB / {first:.2f} s",
        "≤ 200 MB / ≤ 2 s",
        own <= 200 and first <= 2,
        {"hub_mb": own, "workers_mb": workers, "first_answer_s": rounds},
    )


def _memory_mb(pid: int) -> tuple[float, float]:
    """Return the proportional memory of a process and of all its descendants."""
    children = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(process.name))
    total, waiting = 0, list(children.get(pid, ()))
    while waiting:
        child = waiting.pop()
        waiting += children.get(child, ())
        total += pss_kb(child)
    return pss_kb(pid) / 1024, total / 1024
