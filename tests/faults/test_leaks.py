"""Who came and went leaves nothing behind, and needs no garbage collector to be gone.

The collector is told to leave long-lived things alone (ADR-0025): a connection that refers to
itself would stay for good. ``python -m tests.load --only churn`` does it ten thousand times.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskhub.edge.protocol import BoundedHttp, StreamSocketProtocol
from deskhub.stream.session import Session
from tests.load.talkers import hello, message
from tests.support.chat import ChatHub, chat_hub

OURS = (Session, StreamSocketProtocol, BoundedHttp)
VISITS = 100
AT_ONCE = 20


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Nothing but reference counts may free anything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


async def visit(hub: ChatHub, number: int) -> None:
    """Come, say something, see it stored, and vanish without a word."""
    stored = asyncio.Event()

    def heard(text: bytes) -> None:
        if text.startswith(b'{"t":"result"'):
            stored.set()

    wire = await hello(hub.port, f"visitor.v_{number % 10}", heard)
    wire.send(message("new", f"k-{number}", "Hello"))
    async with asyncio.timeout(30):
        await stored.wait()
    wire.hang_up()


async def visits(hub: ChatHub, numbers: range) -> None:
    waiting = list(numbers)

    async def one_after_the_other() -> None:
        while waiting:
            await visit(hub, waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_the_other())


def alive() -> Counter[str]:
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one) in OURS)


async def left_over(within_s: float) -> Counter[str]:
    """Return what is still alive once nothing is left, or after *within_s*."""
    for _ in range(round(within_s / 0.25)):
        if not (found := alive()):
            break
        await asyncio.sleep(0.25)
    return found


async def held() -> tuple[int, int, int]:
    """Return how many tasks, descriptors and threads there are, once they no longer fall."""
    last, now = (10**9,) * 3, (10**9 - 1,) * 3
    while now < last:
        await asyncio.sleep(0.25)
        last, now = (
            now,
            (
                len(asyncio.all_tasks()),
                len(os.listdir("/proc/self/fd")),
                threading.active_count(),
            ),
        )
    return now


async def test_a_connection_that_ended_is_gone_at_once(
    no_collector: None, tmp_path: Path
) -> None:
    async with chat_hub(tmp_path / "hub.db") as hub:
        await visits(hub, range(VISITS))

        assert await left_over(within_s=15) == Counter()


async def test_the_check_notices_a_connection_that_refers_to_itself(
    no_collector: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(self: StreamSocketProtocol, exc: Exception | None) -> None:
        super(StreamSocketProtocol, self).connection_lost(exc)
        self.knot = self  # type: ignore[attr-defined]

    monkeypatch.setattr(StreamSocketProtocol, "connection_lost", lost)
    async with chat_hub(tmp_path / "hub.db") as hub:
        await visits(hub, range(AT_ONCE))

        assert (await left_over(within_s=1))["StreamSocketProtocol"] == AT_ONCE


async def test_tasks_descriptors_and_threads_are_as_before(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "hub.db") as hub:
        await visits(hub, range(VISITS))
        before = await held()
        await visits(hub, range(VISITS, 3 * VISITS))
        after = await held()

    assert after == pytest.approx(before, abs=5)
