"""Messages over REST: as many a second as one core gives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from tests.load.measure import percentile
from tests.load.rates import Plan, Told, connected_hub
from tests.load.report import Row
from tests.load.talkers import Hub

CONNECTIONS = 32


async def rest(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row about durable sends by `CONNECTIONS` keep-alive connections."""
    async with connected_hub() as hub:
        await _sending(hub, 1.0)
        cpu = hub.server.cpu_s()
        took, refused = await _sending(hub, plan.seconds)
        each_us = (hub.server.cpu_s() - cpu) / max(1, len(took)) * 1e6
    per_s = len(took) / plan.seconds
    yield Row(
        f"REST sends per second, {CONNECTIONS} connections",
        f"{per_s:,.0f} per s, p99 {percentile(took, 0.99) * 1e3:.1f} ms, {each_us:.0f} µs CPU",
        "≥ 3,000 per s",
        per_s >= 3_000 and not refused,
        {"per_s": per_s, "cpu_us": each_us, "refused": refused},
    )


async def _sending(hub: Hub, seconds: float) -> tuple[list[float], int]:
    """Return how long each accepted send took, and how many were refused."""
    took: list[float] = []
    refused, end = 0, time.perf_counter() + seconds
    tokens = hub.tokens

    async def one(number: int) -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.server.port)
        path = f"/api/v1/conversations/{hub.conversations[number]}/messages"
        body = '{"kind":"text","text":"您好, where is my order? It should be here."}'.encode()
        while (began := time.perf_counter()) < end:
            writer.write(
                (
                    f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    f"Authorization: Bearer {tokens[number]}\r\nIdempotency-Key: {hub.cid()}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                ).encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.lower().index(b"content-length:") + 15
            await reader.readexactly(int(head[at : head.index(b"\r", at)]))
            if head.startswith(b"HTTP/1.1 201"):
                took.append(time.perf_counter() - began)
            else:
                refused += 1
        writer.close()

    async with asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(one(number))
    return took, refused
