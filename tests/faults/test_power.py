"""The power is cut: what was acknowledged had been synced, and the database opens again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.scale import SCALE
from tests.support.client import Verdict
from tests.support.crowd import crowd
from tests.support.served import Served
from tests.tools.needs import no_power_cuts

WHY_NOT = no_power_cuts()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)),
]
CUTS = 3 if SCALE == 1 else 30


@contextlib.asynccontextmanager
async def powered(backing: Path, mountpoint: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Mount *backing* until the block ends or the process is killed."""
    backing.mkdir(exist_ok=True)
    mountpoint.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.lazyfs", str(backing), str(mountpoint)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while not os.path.ismount(mountpoint):
                if process.poll() is not None:
                    pytest.skip("FUSE mounts are not allowed here")
                await asyncio.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        subprocess.run(["umount", "-l", str(mountpoint)], check=False, capture_output=True)


async def cuts(folder: Path, count: int, *, sabotage: str = "") -> tuple[Verdict, list[str]]:
    """Cut the power *count* times under load; return the figures and each integrity check."""
    dice, backing, mountpoint = random.Random(5), folder / "disk", folder / "mounted"
    hub = Served(
        mountpoint / "hub.db", env={"DESKHUB_SABOTAGE": sabotage}, log=folder / "hub.log"
    )
    checks: list[str] = []
    async with contextlib.AsyncExitStack() as power:
        disk = await power.enter_async_context(powered(backing, mountpoint))
        await hub.start()
        async with crowd(hub, visitors=6, agents=2, per_s=30) as people:
            for _ in range(count):
                await people.acknowledged(dice.randint(20, 60))
                # First the disk stops taking anything, then the hub is gone.
                disk.kill()
                await hub.kill()
                await power.aclose()
                with contextlib.closing(sqlite3.connect(backing / "hub.db")) as connection:
                    checks.append(connection.execute("PRAGMA integrity_check").fetchone()[0])
                if sabotage:
                    people.stop_writing()
                    break
                disk = await power.enter_async_context(powered(backing, mountpoint))
                await hub.start()
            if not sabotage:
                await people.settle()
                await hub.kill()
        hub.db = (backing if sabotage else mountpoint) / "hub.db"
        return people.judge(), checks


async def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    verdict, checks = await cuts(tmp_path, CUTS)

    print(f"{CUTS} power cuts: {verdict}")
    assert verdict.is_clean, str(verdict)
    assert checks == ["ok"] * CUTS


async def test_the_check_notices_commits_that_are_not_synced(tmp_path: Path) -> None:
    verdict, _ = await cuts(tmp_path, 1, sabotage="no_sync")

    assert verdict.lost > 0, str(verdict)
