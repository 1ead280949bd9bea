"""One event for many readers, while others go on talking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from tests.load.idle import crowd
from tests.load.measure import measure, percentile
from tests.load.rates import Plan, Told, the_hub
from tests.load.report import Row
from tests.load.talkers import Hub, hello, message

RATE = 300
EVENTS = 3


async def fanout(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row about one event to *plan.crowd* readers of another tenant."""
    async with the_hub() as (server, people), crowd(server.port) as readers:
        active = Hub(server, people["agents"]["main"], people["visitors"]["main"])
        await active.connect()
        await measure(active, (RATE, 1.0))
        alone = await measure(active, (RATE, plan.seconds))
        await readers.ask("dial " + " ".join([people["agents"]["apart"]] * plan.crowd))
        speaker = await hello(server.port, people["visitors"]["apart"][0], lambda _: None)
        await asyncio.sleep(1.0)
        took, spans, sending_at = [], [], time.perf_counter()

        async def announce() -> None:
            for number in range(EVENTS):
                await asyncio.sleep(1.0)
                mark = f"event-{number}-for-all"
                await readers.ask(f"mark {mark}")
                sent = time.perf_counter()
                speaker.send(message("new", mark, mark))
                heard = await readers.ask(f"wait {plan.crowd}")
                took.append((heard["last"] - sent) * 1e3)
                spans.append((sent - sending_at, heard["last"] - sending_at))

        async with asyncio.TaskGroup() as group:
            group.create_task(announce())
            run = await measure(active, (RATE, EVENTS * 2.0 + 1.0))
        # What was due while the event was under way, or right before it.
        during = [
            ms for at, ms in run.late_ms
            if any(start - 0.02 <= at <= end for start, end in spans)
        ]  # fmt: skip
        longest, beside = max(took), percentile(during, 0.99)
        yield Row(
            f"one event to {plan.crowd:,} readers: all have it / others' p99 meanwhile",
            f"{longest:.0f} ms / {beside:.1f} ms (alone {alone.p99_ms:.1f} ms)",
            "≤ 300 ms, others' p99 < 10 ms",
            longest <= 300 and beside < 10,
            {
                "ms": longest,
                "others_ms": beside,
                "alone_ms": alone.p99_ms,
                "lost": run.sent - run.arrived,
            },
        )
