"""A real ERP: a hundred orders with party, lines and products, at once and one by one."""

from __future__ import annotations

import asyncio
import base64
import json
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from deskhub.cli.lab.cache import Cache, default_folder
from deskhub.cli.lab.peers import PEERS
from deskhub.cli.lab.running import running
from deskhub_erp_tryton import ErpTryton
from deskhub_erp_tryton.settings import TrytonConfig
from deskhub_sdk.testing import given_context
from tests.load.rates import Plan, Told
from tests.load.report import Row
from tests.support.lab import missing

WHAT = "real ERP (Tryton), 100 orders with party, lines, products"
TARGET = "≤ 4 calls, ≥ 50 × faster than one by one"
ORDERS, TIMES = 100, 7
# The same data as the adapter asks for, with ids where it reaches into the next record.
OF_SALE = (
    "number", "reference", "state", "shipment_state", "invoice_state", "currency", "party",
    "lines", "write_date", "create_date",
)  # fmt: skip


async def erp(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the row, or that it was not measured where the lab was not made."""
    if why := missing("tryton"):
        yield Row(WHAT, f"not measured: {why}", TARGET)
        return
    async with running([PEERS["tryton"]], Cache(default_folder())) as found:
        told = found["tryton"].document()
        # Whoever asks first pays for what Tryton then keeps.
        await _batched(told)
        batched, alone = [], []
        for _ in range(plan.rounds):
            batched += [await _batched(told) for _ in range(TIMES)]
            alone.append(await _one_by_one(told))
    seconds = statistics.median(one[1] for one in batched)
    slow = statistics.median(one[1] for one in alone)
    calls, ratio = max(one[0] for one in batched), slow / seconds
    yield Row(
        WHAT,
        f"{calls} calls {seconds * 1e3:.0f} ms; one by one {alone[0][0]} calls"
        f" {slow * 1e3:.0f} ms = {ratio:.0f} ×",
        TARGET,
        calls <= 4 and ratio >= 50,
        {
            "calls": calls, "ms": seconds * 1e3, "calls_one_by_one": alone[0][0],
            "ms_one_by_one": slow * 1e3, "ratio": ratio,
        },
    )  # fmt: skip


async def _batched(told: Mapping[str, Any]) -> tuple[int, float]:
    """Return (calls, seconds) of loading every order by itself through the adapter."""
    settings = TrytonConfig(base_url=told["url"], database=told["database"], token=told["key"])
    async with given_context(instance="erp", timeout_s=30) as ctx:
        adapter = ErpTryton(settings)
        await adapter.start(ctx)
        try:
            before, began = len(ctx.http.calls), time.perf_counter()
            async with asyncio.TaskGroup() as group:
                loads = [
                    group.create_task(adapter.sales.load(number))
                    for number in told["orders"][:ORDERS]
                ]
            seconds = time.perf_counter() - began
            calls = len(ctx.http.calls) - before
            sales = [load.result() for load in loads]
        finally:
            await adapter.stop()
    whole = [one for one in sales if one and one.party and all(x.product for x in one.lines)]
    if len(whole) != ORDERS:
        raise RuntimeError(f"{len(whole)} of {ORDERS} orders came whole")
    return calls, seconds


async def _one_by_one(told: Mapping[str, Any]) -> tuple[int, float]:
    """Return (calls, seconds) of reading the same data record by record, over one connection."""
    base = f"{told['url']}/{told['database']}/rest/model"
    headers = {"Authorization": f"bearer {told['key']}"}
    calls = 0

    async with aiohttp.ClientSession(headers=headers) as http:

        async def read(path: str, *names: str, **more: str) -> Any:
            nonlocal calls
            calls += 1
            params = [*more.items(), *(("f", name) for name in names)]
            async with http.get(f"{base}/{path}", params=params) as answer:
                if answer.status != 200:
                    raise RuntimeError(f"{path} answered {answer.status}")
                return await answer.json()

        began = time.perf_counter()
        for number in told["orders"][:ORDERS]:
            domain = json.dumps([["reference", "=", number]]).encode()
            wanted = base64.urlsafe_b64encode(domain).decode()
            (sale,) = await read("sale.sale", *OF_SALE, d=wanted)
            await read(f"currency.currency/{sale['currency']}", "code")
            await read(f"party.party/{sale['party']}", "code", "name")
            for line in sale["lines"]:
                sold = await read(f"sale.line/{line}", "quantity", "unit_price", "product")
                product = f"product.product/{sold['product']}"
                for identifier in (await read(product, "code", "identifiers"))["identifiers"]:
                    await read(f"product.identifier/{identifier}", "code")
        return calls, time.perf_counter() - began
