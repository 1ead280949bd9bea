"""Several processes on one PostgreSQL and one NATS: how late a message is from one to another.

The agent is on the first process and every visitor on another one, so that each message crosses.
The processes share this machine's cores with both servers and the client: the rows say what
several processes cost, and only a machine with more cores says how far they scale.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from tests.load.measure import measure
from tests.load.programs import Program, other_cpus, program
from tests.load.rates import Plan, Told, highest, middle_of
from tests.load.report import Row
from tests.load.talkers import VISITORS, Hub
from tests.support import databases
from tests.support.nats_server import nats_server

COUNTS = (2, 4)
RATE = 1_500
# Four processes and their servers on the cores of one small machine end before this.
MOST_PER_S = 9_000


class Together(Program):
    """The processes as one, for their CPU time."""

    def __init__(self, programs: list[Program]) -> None:
        super().__init__(programs[0].process, programs[0].hello)
        self.programs = programs

    def cpu_s(self) -> float:
        return sum(one.cpu_s() for one in self.programs)


async def processes(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield latency and throughput of two and of four processes."""
    if not databases.answers(databases.ADMIN):
        say("no PostgreSQL here: several processes are left out")
        return
    for count in COUNTS:
        async with apart(count) as hub:
            await measure(hub, (500, 1.0))
            run = middle_of(
                [await measure(hub, (RATE, plan.seconds)) for _ in range(plan.rounds)]
            )
            lost = run.sent - run.arrived
            yield Row(
                f"{count} processes, PostgreSQL, NATS: to another process at {RATE}/s",
                f"{run.p50_ms:.2f} / {run.p99_ms:.1f} ms, {run.cpu_us:.0f} µs CPU, {lost} lost",
                "p99 ≤ 5 ms, 0 lost",
                run.p99_ms <= 5 and not lost,
                {"processes": count, "p50_ms": run.p50_ms, "p99": run.p99_ms, "lost": lost},
            )
            best = await highest(hub, plan.with_(highest=min(plan.highest, MOST_PER_S)))
            rate = best.rate if best else 0
            yield Row(
                f"{count} processes: messages/s at p99 < 50 ms",
                f"{rate}/s"
                + (f" ({best.p99_ms:.1f} ms, {best.cpu_us:.0f} µs)" if best else ""),
                values={"processes": count, "rate": rate},
            )


@contextlib.asynccontextmanager
async def apart(count: int) -> AsyncIterator[Hub]:
    """Run *count* processes; the agent is on the first, the visitors are on the others."""
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="deskhub-load-"))
        url = stack.enter_context(databases.postgres())
        nats = await stack.enter_async_context(nats_server(Path(folder)))
        shared = ("--folder", folder, "--store", url, "--bus", f"{nats.url}/load")
        programs = [
            await stack.enter_async_context(
                program(
                    "tests.load.hub", *shared, "--visitors", str(0 if number else VISITORS),
                    cpu=other_cpus(),
                )
            )
            for number in range(count)
        ]  # fmt: skip
        people = json.loads((Path(folder) / "people.json").read_text())
        doors = [one.port for one in programs[1:]]
        hub = Hub(
            Together(programs), people["agents"]["main"], people["visitors"]["main"], doors
        )
        await hub.connect()
        yield hub
        hub.close()
