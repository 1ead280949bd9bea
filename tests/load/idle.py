"""Ten thousand who say nothing: memory, how fast they come in, and what they cost the others."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from tests.load.measure import measure
from tests.load.programs import CLIENT_CPU, Program, program
from tests.load.rates import Plan, Told, middle_of, the_hub
from tests.load.report import Row
from tests.load.talkers import VISITORS, Hub

RATE = 500


@contextlib.asynccontextmanager
async def crowd(port: int) -> AsyncIterator[Program]:
    """Run the process that holds many connections, beside the client."""
    async with program("tests.load.crowd", "--port", str(port), cpu=CLIENT_CPU) as process:
        yield process


async def idle(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield rows about *plan.crowd* idle visitors."""
    async with the_hub(VISITORS + plan.crowd) as (server, people):
        tokens = people["visitors"]["main"]
        active = Hub(server, people["agents"]["main"], tokens[:VISITORS])
        await active.connect()
        await measure(active, (RATE, 1.0))
        without = middle_of([await measure(active, (RATE, plan.seconds)) for _ in range(3)])
        async with crowd(server.port) as others:
            await server.ask("watch")
            before = server.pss_kb()
            came = await others.ask("dial " + " ".join(tokens[VISITORS:]))
            stall_ms = (await server.ask("stall"))["stall_s"] * 1e3
            each = (server.pss_kb() - before) / plan.crowd
            per_s = plan.crowd / came["seconds"]
            yield Row(
                f"{plan.crowd:,} visitors: kB each / accepted per s / longest stall",
                f"{each:.1f} kB / {per_s:,.0f} per s / {stall_ms:.0f} ms",
                "≤ 40 kB, ≥ 2,000 per s, ≤ 100 ms",
                each <= 40 and per_s >= 2_000 and stall_ms <= 100,
                {"kb_each": each, "accepted_per_s": per_s, "stall_ms": stall_ms},
            )
            beside = middle_of([await measure(active, (RATE, plan.seconds)) for _ in range(3)])
        yield Row(
            f"p99 of 200 active ones at {RATE}/s without / with the idle ones",
            f"{without.p99_ms:.2f} / {beside.p99_ms:.2f} ms",
            "≤ 2 ×",
            beside.p99_ms <= 2 * without.p99_ms,
            {"without_ms": without.p99_ms, "with_ms": beside.p99_ms},
        )
        yield Row(
            f"CPU per message with {VISITORS} / {VISITORS + plan.crowd:,} connections",
            f"{without.cpu_us:.0f} / {beside.cpu_us:.0f} µs",
            "± 20 %",
            beside.cpu_us <= 1.2 * without.cpu_us,
            {"without_us": without.cpu_us, "with_us": beside.cpu_us},
        )
