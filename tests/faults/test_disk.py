"""The disk is full: sends are refused in words, reading works, and it heals by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.crowd import Crowd, crowd
from tests.support.served import Served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="a tmpfs of its own needs root"),
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder with twelve megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave_bytes: int) -> Path:
    """Fill the disk but for *leave_bytes*; return the file to delete."""
    ballast = folder / "ballast"
    room = os.statvfs(folder)
    with ballast.open("wb") as out, contextlib.suppress(OSError):
        out.write(b"\0" * max(0, room.f_bavail * room.f_bsize - leave_bytes))
    return ballast


async def refused(people: Crowd, within_s: float) -> None:
    """Wait until a send was refused because nothing can be stored."""
    async with asyncio.timeout(within_s):
        while not people.ledger.refused.get("store_down"):
            await asyncio.sleep(0.02)


async def test_a_full_disk_refuses_sends_and_heals_without_a_restart(disk: Path) -> None:
    hub = Served(disk / "hub.db")
    await hub.start()
    pid = hub.process.pid if hub.process else 0
    try:
        async with crowd(hub, visitors=6, per_s=30, text=lambda: "x" * 2_000) as people:
            await people.acknowledged(50)
            ballast = fill(disk, 100_000)
            await refused(people, 60)
            acknowledged = len(people.ledger.acked)
            async with httpx2.AsyncClient(
                base_url=hub.api, headers={"authorization": "Bearer agent.a_1"}, timeout=10
            ) as http:
                cursor = people.agents[0].cursor or ""
                epoch = cursor.partition(":")[0]
                read = await http.get(
                    "/api/v1/events", params={"cursor": f"{epoch}:0", "wait": 0}
                )
                ready = await http.get("/healthz")
            ballast.unlink()
            await people.acknowledged(100)
            await people.settle()
            verdict = people.judge()
            with contextlib.closing(sqlite3.connect(hub.db)) as connection:
                intact = connection.execute("PRAGMA integrity_check").fetchone()[0]
            same = (
                hub.process is not None and hub.process.pid == pid and hub.process.code is None
            )
    finally:
        await hub.kill()

    print(f"{acknowledged} before, {verdict}, refused {people.ledger.refused}")
    assert (read.status_code, ready.status_code) == (200, 200)
    assert len(read.json().get("events", [])) >= min(acknowledged, 50)
    assert verdict.is_clean, str(verdict)
    assert verdict.acknowledged >= acknowledged + 100
    assert (intact, same) == ("ok", True)
    assert set(people.ledger.refused) <= {"store_down", "busy"}


async def test_the_check_notices_answers_that_the_disk_did_not_take(disk: Path) -> None:
    hub = Served(disk / "hub.db", env={"DESKHUB_SABOTAGE": "ack_before_commit"})
    await hub.start()
    try:
        async with crowd(hub, visitors=6, per_s=60, text=lambda: "x" * 8_000) as people:
            await people.acknowledged(20)
            fill(disk, 150_000)
            with contextlib.suppress(TimeoutError):
                await people.acknowledged(400, 8)
            people.stop_writing()
            await asyncio.sleep(0.5)
            await hub.kill()
            verdict = people.judge()
    finally:
        await hub.kill()

    assert verdict.lost > 0, str(verdict)
