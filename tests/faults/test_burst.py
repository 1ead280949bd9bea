"""Three times the load for a while: all of it arrives, and then everything is as before."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.scale import SCALE
from tests.load.measure import Figures, measure
from tests.load.programs import Program
from tests.load.talkers import Hub
from tests.support.served import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
BASE = 150
SECONDS = 1.5 * SCALE


async def burst(hub: Served, *, stall_s: float = 0.0) -> list[Figures]:
    """Offer 1×, 3×, 1× of the base rate; with *stall_s* the hub stands still in the burst."""
    program = Program(cast(Any, hub.process), {"port": hub.port})
    load = Hub(program, "agent.a_1", [f"visitor.v_{number}" for number in range(100)])
    await load.connect()
    figures = [await measure(load, (BASE, SECONDS))]
    async with asyncio.TaskGroup() as group:
        busy = group.create_task(measure(load, (3 * BASE, SECONDS)))
        if stall_s:
            await asyncio.sleep(0.2)
            hub.signal(signal.SIGSTOP)
            await asyncio.sleep(stall_s)
            hub.signal(signal.SIGCONT)
    figures += [busy.result(), await measure(load, (BASE, SECONDS))]
    load.close()
    return figures


def is_back(before: Figures, after: Figures) -> bool:
    """Return whether the load after the burst costs what it did before, but for noise."""
    return after.p50_ms < before.p50_ms * 3 + 15


async def test_a_burst_loses_nothing_and_leaves_no_backlog(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db") as hub:
        before, during, after = await burst(hub)

    with contextlib.closing(sqlite3.connect(hub.db)) as connection:
        rows = connection.execute(
            "SELECT data FROM event WHERE kind = 'message.posted'"
        ).fetchall()
    cids = [json.loads(data)["cid"] for (data,) in rows]
    measured = [cid for cid in cids if cid.startswith("m-")]
    print(
        " · ".join(
            f"{f.rate}/s p50 {f.p50_ms:.1f} p99 {f.p99_ms:.1f} ms"
            for f in (before, during, after)
        )
    )
    assert all(one.is_complete for one in (before, during, after))
    assert len(measured) == before.sent + during.sent + after.sent
    assert len(set(measured)) == len(measured)
    assert is_back(before, after)
    # A hub that cannot take three times the base would end the burst with a backlog.
    assert during.p50_ms < 500


async def test_the_check_charges_a_stall_to_everything_that_waited(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db") as hub:
        _, during, _ = await burst(hub, stall_s=1.2)

    assert during.is_complete
    assert during.p50_ms > 200, "latencies that begin when a message is sent hide a stall"
