"""The process may open no more files: who is new waits, who is there goes on, and it heals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest
import websockets

from tests.support.chat import Dial
from tests.support.served import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
MOST = 96
CROWD = 150


async def crowded(hub: Served) -> tuple[bool, bool, bool]:
    """Open more connections than it may have.

    Return whether a newcomer was heard, whether who was there before could write all the
    time, and whether a newcomer was heard when the others had left.
    """
    async with Dial(f"ws://127.0.0.1:{hub.port}", "visitor.v_there") as there:
        await there.until("welcome")
        idle = [socket.create_connection(("127.0.0.1", hub.port)) for _ in range(CROWD)]
        try:
            wrote = [
                (await there.send("still here", f"there-{number}"))["ok"]
                for number in range(20)
            ]
            newcomer = await heard(hub, 3)
        finally:
            for one in idle:
                one.close()
        return newcomer, all(wrote), await heard(hub, 30)


async def heard(hub: Served, within_s: float) -> bool:
    """Return whether somebody new gets a welcome *within_s*."""
    with contextlib.suppress(OSError, TimeoutError, websockets.WebSocketException):
        async with (
            asyncio.timeout(within_s),
            Dial(f"ws://127.0.0.1:{hub.port}", "visitor.v_new") as new,
        ):
            await new.until("welcome")
            return True
    return False


async def test_without_descriptors_those_who_are_there_go_on(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db", "--descriptors", str(MOST)) as hub:
        newcomer, wrote, healed = await crowded(hub)

    assert (newcomer, wrote, healed) == (False, True, True)


async def test_the_check_notices_when_there_are_enough(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db", "--descriptors", str(MOST + 2 * CROWD)) as hub:
        newcomer, _, _ = await crowded(hub)

    assert newcomer
