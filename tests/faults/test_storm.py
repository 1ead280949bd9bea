"""Many connections come and go at once: all return, and nothing of them is left behind."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.faults.scale import SCALE
from tests.load.wire import dial
from tests.support.chat import Dial
from tests.support.client import Client, Ledger, Pace
from tests.support.proxy import Proxy
from tests.support.served import Figures, Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SOCKETS = int(120 * min(SCALE, 10))
CHURN = int(2_000 * min(SCALE, 5))
SLACK = 5


@dataclass(frozen=True)
class Return:
    """What a reset of all connections led to."""

    told: int
    refused: frozenset[str]
    took_s: float
    late: list[float]

    @property
    def is_admitted(self) -> bool:
        """Return whether they were let in by and by, and nobody failed in another way."""
        return self.told > 0 and self.refused == {"503"}


async def reset(folder: Path, sockets: int, handshakes: int) -> Return:
    """Reset *sockets* connections at once; wait until all are back, while one keeps writing."""
    ledger, pace = Ledger(), Pace(backoff_s=0.05, backoff_max_s=1.0)
    async with (
        served(folder / "hub.db", "--handshakes", str(handshakes)) as hub,
        Proxy(hub.port) as proxy,
    ):
        clients = [
            Client(proxy.port, f"visitor.v_{n}", ledger, pace=pace, dice=random.Random(n))
            for n in range(sockets)
        ]
        async with (
            Dial(f"ws://127.0.0.1:{hub.port}", "visitor.w_steady") as steady,
            asyncio.TaskGroup() as group,
        ):
            await steady.until("welcome")
            running = [group.create_task(one.run()) for one in clients]
            await _all_in(clients, 60)
            before = ledger.refused.get("503", 0)
            assert proxy.end_all("reset") == sockets
            began, late = time.monotonic(), []
            while not all(one.opens >= 2 for one in clients):
                assert time.monotonic() - began < 120
                sent = time.monotonic()
                result = await steady.send("still here", f"steady-{len(late)}")
                late.append(time.monotonic() - sent)
                assert result["ok"]
                await asyncio.sleep(0.02)
            took_s = time.monotonic() - began
            for task in running:
                task.cancel()
    told = ledger.refused.get("503", 0) - before
    return Return(told, frozenset(ledger.refused), took_s, late)


async def test_after_a_reset_of_all_everybody_returns_through_admission(tmp_path: Path) -> None:
    # Two thirds of them may come in in a second, so that many are turned away at first.
    found = await reset(tmp_path, SOCKETS, SOCKETS * 2 // 3)

    print(
        f"{SOCKETS} back in {found.took_s:.1f} s, {found.told} times told to wait, "
        f"slowest send {max(found.late) * 1e3:.0f} ms"
    )
    assert found.is_admitted
    assert max(found.late) < 10


async def test_the_check_notices_a_hub_that_lets_everybody_in_at_once(tmp_path: Path) -> None:
    found = await reset(tmp_path, 40, 0)

    assert not found.is_admitted


async def test_a_handshake_too_many_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db", "--handshakes", "1") as hub:
        headers = {
            "connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
            "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }  # fmt: skip
        async with httpx2.AsyncClient() as client:
            answers = []
            for _ in range(2):
                async with (
                    asyncio.timeout(20),
                    client.stream("GET", f"{hub.api}/api/v1/stream", headers=headers) as answer,
                ):
                    answers.append((answer.status_code, answer.headers.get("retry-after")))

    assert answers[0][0] == 101
    status, after = answers[1]
    assert status == 503
    assert after is not None
    assert 1 <= int(after) <= 5


async def churn(hub: Served, count: int) -> None:
    """Connect, say hello, and leave *count* times, thirty at a time, by turns politely or not."""
    left = iter(range(count))

    async def one_after_another() -> None:
        for number in left:
            welcome = asyncio.Event()
            wire = await dial(
                hub.port, "/api/v1/stream", lambda _text, told=welcome: told.set()
            )
            token = f"visitor.v_{number % 97}" if number % 4 else f"agent.a_{1 + number % 3}"
            wire.send(json.dumps({"t": "hello", "v": 1, "token": token}).encode())
            if number % 5:
                async with asyncio.timeout(20):
                    await welcome.wait()
            assert wire.transport is not None
            if number % 2:
                wire.transport.abort()
            else:
                wire.transport.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(one_after_another())


async def settled(hub: Served, within_s: float = 30) -> Figures:
    """Return the figures once no socket is open, or after *within_s*."""
    deadline = time.monotonic() + within_s
    while (figures := await hub.figures()).sockets and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return figures


def leaks(before: Figures, after: Figures) -> list[str]:
    """Return what did not go back to where it was."""
    return [
        f"{name}: {getattr(before, name)} -> {getattr(after, name)}"
        for name in ("tasks", "threads", "descriptors", "sockets", "sessions")
        if abs(getattr(after, name) - getattr(before, name)) > SLACK
    ]


async def test_thousands_of_connections_leave_nothing_behind(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db") as hub:
        await churn(hub, 300)
        before = await settled(hub)
        await churn(hub, CHURN // 2)
        middle = await settled(hub)
        await churn(hub, CHURN // 2)
        after = await settled(hub)

    grown = after.resident_mb - middle.resident_mb
    print(f"{CHURN} connections: {before} -> {after}, second half {grown:+.1f} MB")
    assert leaks(before, after) == []
    # Rings, caches and the allocator fill up in the first half; a leak goes on in the second.
    assert grown < 10


async def test_the_check_notices_connections_that_stay(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db") as hub:
        await churn(hub, 50)
        before = await settled(hub)
        wires = [await dial(hub.port, "/api/v1/stream", lambda _text: None) for _ in range(10)]
        for wire in wires:
            wire.send(json.dumps({"t": "hello", "v": 1, "token": "agent.a_1"}).encode())
        async with asyncio.timeout(30):
            while (after := await hub.figures()).sessions < 10:
                await asyncio.sleep(0.05)
        for wire in wires:
            assert wire.transport is not None
            wire.transport.abort()

    found = " ".join(leaks(before, after))
    assert all(word in found for word in ("tasks", "descriptors", "sockets", "sessions"))


async def _all_in(clients: list[Client], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        for one in clients:
            await one.is_welcome.wait()
