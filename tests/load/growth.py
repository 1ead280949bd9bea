"""What a message costs behind a short log and behind a very long one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from deskhub.clock import SystemClock
from deskhub.store.reports.follower import Reports
from deskhub.store.search import Search
from deskhub.store.store import Store
from tests.load.longlog import Talk, fill
from tests.load.measure import Figures, measure
from tests.load.rates import Plan, Told, middle_of, the_hub
from tests.load.report import Row
from tests.load.talkers import VISITORS, Hub

RATE = 1_500
SHORT, LONG, QUICK_LONG = 1_000, 1_000_000, 100_000


async def growth(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row about two hubs that take turns, one with a log a thousand times as long."""
    count = QUICK_LONG if plan.seconds <= 2.0 else LONG
    async with AsyncExitStack() as stack:
        hubs = []
        for size in (SHORT, count):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="deskhub-load-"))
            say(f"  writing and indexing {size:,} messages")
            await _written(Path(folder), size)
            served = the_hub(VISITORS, Path(folder))
            server, people = await stack.enter_async_context(served)
            hub = Hub(server, people["agents"]["main"], people["visitors"]["main"])
            await hub.connect()
            await measure(hub, (500, 1.0))
            hubs.append(hub)
        taken: list[list[Figures]] = [[], []]
        for _ in range(plan.rounds):
            for hub, runs in zip(hubs, taken, strict=True):
                runs.append(await measure(hub, (RATE, plan.seconds)))
        short, long = (middle_of(runs) for runs in taken)
    yield Row(
        f"CPU per message at {RATE:,}/s behind {SHORT:,} / {count:,} messages",
        f"{short.cpu_us:.0f} / {long.cpu_us:.0f} µs, p99 {short.p99_ms:.1f} / {long.p99_ms:.1f} ms",
        "± 20 %",
        long.cpu_us <= 1.2 * short.cpu_us,
        {"short_us": short.cpu_us, "long_us": long.cpu_us},
    )


async def _written(folder: Path, count: int) -> None:
    """Write a log of *count* messages into the hub's folder, its index and its reports.

    A hub that still makes them from a log this long is not what is to be measured.
    """
    (folder / "data").mkdir()
    file = folder / "data/deskhub.db"
    url = f"sqlite:///{file}"
    store = await Store.open(url, SystemClock())
    await store.close()
    await asyncio.to_thread(fill, file, Talk(7), count)
    store = await Store.open(url, SystemClock())
    found = Search.at(store, url)
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(store.run())
        await found.indexer.catch_up("main")
        await Reports(store).catch_up("main")
        writing.cancel()
    await found.close()
    await store.close()
