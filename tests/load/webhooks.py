"""Webhooks in: how long a shop waits for its 202, which is after the signal is on disk."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2

from deskhub_orders.webhook import EVENT_ID, SIGNATURE, TIMESTAMP, sign
from tests.load.measure import percentile
from tests.load.rates import Plan, Told
from tests.load.report import Row
from tests.support.desk import Desk, call, desk

SENDERS = 8
# One source may send a hundred a second; this is what a busy shop sends.
PER_S = 80.0
MOST_MS = 300.0


async def webhooks(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row about signed webhooks at a real hub with its adapter in a process."""
    with desk() as hub:
        token = await asyncio.to_thread(hub.sign_in, "admin")
        await asyncio.to_thread(hub.adapters_ready, token)
        state = await asyncio.to_thread(call, "GET", f"{hub.shop}/_sim/state")
        order = next(iter(state["orders"].values()))
        await _sending(hub, order, 1.0)
        took, others = await _sending(hub, order, plan.seconds)
    p99_ms = percentile(took, 0.99) * 1e3
    yield Row(
        f"webhooks verified and on disk, {PER_S:.0f} per s of one source",
        f"p50 {percentile(took, 0.5) * 1e3:.1f} ms, p99 {p99_ms:.1f} ms of {len(took):,}",
        f"p99 < {MOST_MS:.0f} ms",
        p99_ms < MOST_MS and not others,
        {"p99_webhook_ms": p99_ms, "taken": len(took), "refused": others},
    )


async def _sending(hub: Desk, order: dict[str, Any], seconds: float) -> tuple[list[float], int]:
    """Return how long each 202 took, and how many other answers there were."""
    took: list[float] = []
    others, end, version = 0, time.perf_counter() + seconds, int(time.time() * 1000)

    async def one(client: httpx2.AsyncClient) -> None:
        nonlocal others, version
        while (began := time.perf_counter()) < end:
            version += 1
            headers, body = _hook(hub.keys.webhook, order | {"version": version})
            answer = await client.post("/api/v1/webhooks/orders", content=body, headers=headers)
            if answer.status_code == 202:
                took.append(time.perf_counter() - began)
            else:
                others += 1
            await asyncio.sleep(max(0.0, began + SENDERS / PER_S - time.perf_counter()))

    async with httpx2.AsyncClient(base_url=hub.api, timeout=30) as client:
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(one(client))
    return took, others


def _hook(secret: str, order: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Return a webhook as the shop sends it."""
    now, key = datetime.now(UTC), f"evt_{order['version']}"
    told = {"id": key, "kind": "order.changed", "sent_at": now.isoformat(), "order": order}
    body = json.dumps(told).encode()
    headers = {
        "content-type": "application/json", SIGNATURE: sign(secret, body), EVENT_ID: key,
        TIMESTAMP: str(int(now.timestamp())),
    }  # fmt: skip
    return headers, body
