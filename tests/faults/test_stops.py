"""The hub is frozen for a while, or told to end: nothing that was acknowledged is missing."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.faults.scale import SCALE
from tests.faults.test_slow_readers import deaf
from tests.support.client import Verdict
from tests.support.crowd import crowd
from tests.support.served import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
STUCK = int(30 * min(SCALE, 3.4))
# The clients of `crowd` give a silent hub up after 2.5 s; a real one after 40 s.
FROZEN_S = 4.0
LONG_S = 45.0
END_WITHIN_S = 8.0


async def frozen(folder: Path, frozen_s: float, sabotage: str = "") -> tuple[Verdict, bool]:
    """Stop the process for longer than anybody waits; return whether all dialled anew, too."""
    env = {"DESKHUB_SABOTAGE": sabotage}
    async with (
        served(folder / "hub.db", "--heartbeat-s", "1", env=env) as hub,
        crowd(hub) as people,
    ):
        await people.acknowledged(100)
        opened = [one.opens + one.polled for one in people.visitors]
        hub.signal(signal.SIGSTOP)
        await asyncio.sleep(frozen_s)
        hub.signal(signal.SIGCONT)
        await people.acknowledged(100)
        await people.settle()
        again = [one.opens + one.polled for one in people.visitors]
        return people.judge(), all(
            late > early for early, late in zip(opened, again, strict=True)
        )


@pytest.mark.parametrize("frozen_s", [FROZEN_S] if SCALE == 1 else [5.0, LONG_S])
async def test_a_frozen_hub_loses_nothing_and_everybody_dials_anew(
    tmp_path: Path, frozen_s: float
) -> None:
    verdict, is_anew = await frozen(tmp_path, frozen_s)

    assert verdict.is_clean, str(verdict)
    assert is_anew


async def test_the_check_notices_what_was_read_late_and_written_again(tmp_path: Path) -> None:
    """What lay in the sockets of a frozen hub is stale: its senders have sent it anew."""
    verdict, _ = await frozen(tmp_path, FROZEN_S, sabotage="no_dedupe")

    assert verdict.duplicates > 0, str(verdict)


async def test_a_hub_that_is_told_to_end_does_with_readers_that_are_stuck(
    tmp_path: Path,
) -> None:
    hub = Served(tmp_path / "hub.db")
    await hub.start()
    try:
        async with crowd(hub, visitors=6, per_s=60, text=lambda: "x" * 3_000) as people:
            async with deaf(hub, STUCK):
                await people.acknowledged(500, 60)
                took = await hub.terminate(30)
            await hub.start()
            await people.settle()
            verdict = people.judge()
            codes = {code for one in people.visitors for code in one.close_codes}
    finally:
        await hub.kill()

    print(f"{STUCK} stuck readers: ended after {took:.1f} s; {verdict}; close codes {codes}")
    assert took <= END_WITHIN_S
    assert verdict.is_clean, str(verdict)


async def test_the_check_notices_an_end_that_forgets_the_queue(tmp_path: Path) -> None:
    hub = Served(tmp_path / "hub.db")
    try:
        await hub.start(env={"DESKHUB_SABOTAGE": "ack_before_commit"})
        async with crowd(hub, visitors=6, per_s=60) as people:
            for _ in range(3):
                await people.acknowledged(50)
                await hub.kill()
                await hub.start(env={"DESKHUB_SABOTAGE": "ack_before_commit"})
            people.stop_writing()
            verdict = people.judge()
    finally:
        await hub.kill()

    assert verdict.lost > 0, str(verdict)
