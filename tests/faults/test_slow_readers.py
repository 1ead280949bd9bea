"""Readers that stop reading: others do not notice, memory is bounded, they catch up later."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.faults.scale import SCALE
from tests.load.measure import percentile
from tests.support.chat import Dial
from tests.support.client import Client, Ledger, at_head
from tests.support.proxy import Proxy
from tests.support.served import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# What the half open ones are given in the twin; the drop takes about three seconds.
HALF_OPEN_S = 5.0
SLOW = int(30 * min(SCALE, 4))
TEXT = "x" * 2_000


@asynccontextmanager
async def deaf(hub: Served, count: int) -> AsyncIterator[list[tuple[Dial, str]]]:
    """Yield agents who said hello and then never read again: with tiny receive buffers."""
    people: list[tuple[Dial, str]] = []
    for number in range(count):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", hub.port))
        token = f"agent.a_{1 + number % 3}"
        dial = Dial("", token)
        dial.socket = await connect(
            f"ws://127.0.0.1:{hub.port}/api/v1/stream",
            sock=sock,
            compression=None,
            ping_interval=None,
        )
        await dial.put({"t": "hello", "v": 1, "token": token})
        cursor = (await dial.until("welcome"))["cursor"]
        dial.socket.transport.pause_reading()
        people.append((dial, cursor))
    try:
        yield people
    finally:
        for dial, _ in people:
            assert dial.socket is not None
            dial.socket.transport.abort()


async def latencies(hub: Served, count: int, name: str) -> list[float]:
    """Return how long *count* messages took from the visitor to an agent who reads."""
    late: list[float] = []
    async with (
        Dial(f"ws://127.0.0.1:{hub.port}", "agent.a_1") as agent,
        Dial(f"ws://127.0.0.1:{hub.port}", f"visitor.{name}") as visitor,
    ):
        await agent.until("welcome")
        await visitor.until("welcome")
        for number in range(count):
            began = time.perf_counter()
            cid = f"{name}-{number}"
            body = {"kind": "text", "text": f"{cid} {TEXT}"}
            await visitor.put(
                json.dumps(
                    {"t": "send", "id": cid, "cid": cid, "conversation": "new", "body": body}
                )
            )
            while True:
                frame = await agent.until("events")
                if any(event["data"].get("cid") == cid for event in frame["events"]):
                    break
            late.append(time.perf_counter() - began)
            await visitor.until("result", id=cid)
    return late


async def test_readers_that_stop_harm_nobody_and_catch_up(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db", "--stuck-s", "3") as hub:
        alone = await latencies(hub, 150, "v_1")
        before = await hub.figures()
        async with deaf(hub, SLOW) as slow:
            beside = await latencies(hub, 300, "v_2")
            during = await hub.figures()
            async with asyncio.timeout(60):
                while (after := await hub.figures()).sockets:
                    await asyncio.sleep(0.1)
        cursor = slow[0][1]
        ledger = Ledger()
        back = [
            Client(hub.port, f"agent.a_{1 + n % 3}", ledger, name=f"slow {n}", cursor=cursor)
            for n in range(len(slow))
        ]
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one.run()) for one in back]
            await at_head(back, hub.head(), 60)
            for task in running:
                task.cancel()

    growth = during.resident_mb - before.resident_mb
    p50, p50_beside = percentile(alone, 0.5) * 1e3, percentile(beside, 0.5) * 1e3
    print(
        f"{SLOW} stuck: p50 {p50:.1f} -> {p50_beside:.1f} ms, p99 {percentile(alone, 0.99) * 1e3:.1f} -> "
        f"{percentile(beside, 0.99) * 1e3:.1f} ms, memory +{growth:.1f} MB"
    )
    assert growth < 50
    assert after.sessions == 0
    # A writing to each of the stuck ones that waited would cost seconds, not milliseconds.
    assert p50_beside < p50 * 3 + 10
    assert ledger.resets == 0
    wanted = {f"v_2-{number}" for number in range(300)}
    for one in back:
        assert {cid for _, cid in ledger.seen[one.name] if cid} == wanted


async def test_the_check_notices_stuck_sockets_that_are_kept(tmp_path: Path) -> None:
    async with served(tmp_path / "hub.db", "--stuck-s", "3600") as hub, deaf(hub, 5):
        await latencies(hub, 300, "v_2")
        await asyncio.sleep(4)
        figures = await hub.figures()

    assert figures.sockets == 5


async def half_open(folder: Path, heartbeat_s: float, within_s: float) -> tuple[int, float]:
    """Let twenty clients vanish without a word; return how many are still kept, and when."""
    options = ("--heartbeat-s", str(heartbeat_s), "--answer-s", "1")
    async with served(folder / "hub.db", *options) as hub, Proxy(hub.port) as proxy:
        dials = [
            Dial(f"ws://127.0.0.1:{proxy.port}", f"visitor.v_{number}") for number in range(20)
        ]
        for dial in dials:
            await dial.__aenter__()
            await dial.until("welcome")
        assert (await hub.figures()).sessions == 20
        proxy.swallow("up")
        proxy.swallow("down")
        began = time.monotonic()
        while (figures := await hub.figures()).sessions and time.monotonic() < began + within_s:
            await asyncio.sleep(0.05)
        for dial in dials:
            assert dial.socket is not None
            dial.socket.transport.abort()
    return max(figures.sockets, figures.sessions), time.monotonic() - began


async def test_half_open_clients_are_dropped_within_the_heartbeat(tmp_path: Path) -> None:
    kept, took_s = await half_open(tmp_path, heartbeat_s=1, within_s=HALF_OPEN_S * 5)

    # Silence, the wait for the pong, and the second in which the pulse looks: about three.
    print(f"20 half open links dropped after {took_s:.1f} s")
    assert kept == 0


async def test_the_check_notices_half_open_clients_that_are_kept(tmp_path: Path) -> None:
    kept, _ = await half_open(tmp_path, heartbeat_s=3600, within_s=HALF_OPEN_S)

    assert kept == 20


async def test_clients_that_answer_stay_through_many_heartbeats(tmp_path: Path) -> None:
    options = ("--heartbeat-s", "1", "--answer-s", "1")
    ledger = Ledger()
    async with served(tmp_path / "hub.db", *options) as hub:
        client = Client(hub.port, "agent.a_1", ledger)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(client.run())
            async with asyncio.timeout(60):
                while client.pongs < 3:
                    await asyncio.sleep(0.05)
            task.cancel()

    assert (client.opens, client.close_codes) == (1, [])
