"""The batch loader: calls it saves, what it adds to one call, and aiodataloader beside it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib.util import find_spec
from typing import Any

from deskhub_sdk.loader import Loader
from tests.load.measure import percentile
from tests.load.rates import Plan, Told
from tests.load.report import Row

UPSTREAM_S = 0.02
TRICKLE_S = 0.03
KEYS, MANY = 300, 10_000
ROUNDS = 7

Load = Callable[[int], Awaitable[Any]]


class Upstream:
    """A system that takes 20 ms for any number of keys."""

    def __init__(self, seconds: float = UPSTREAM_S) -> None:
        self.seconds = seconds
        self.calls = 0

    async def __call__(self, keys: Sequence[int]) -> dict[int, int]:
        self.calls += 1
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return {key: key for key in keys}


async def loader(plan: Plan, say: Told) -> AsyncIterator[Row]:
    """Yield the rows of the loader."""
    yield await _at_once()
    yield await _trickling()
    own = [await _per_key(_ours) for _ in range(ROUNDS)]
    figure, values = f"{statistics.median(own):.2f} µs", {"us": statistics.median(own)}
    if find_spec("aiodataloader"):
        theirs = statistics.median([await _per_key(_theirs) for _ in range(ROUNDS)])
        figure += f" (aiodataloader {theirs:.2f} µs)"
        values["aiodataloader_us"] = theirs
    else:
        say("aiodataloader is not installed: left out")
    what = f"batch loader: CPU per key, {MANY:,} cold keys"
    yield Row(what, figure, "≤ 3 µs", values["us"] <= 3, values)


async def _at_once() -> Row:
    one, took, calls = [], [], 0
    for _ in range(5):
        upstream = Upstream()
        one.append((await _timed([_ours(upstream)], [0]))[0])
        upstream = Upstream()
        load = _ours(upstream)
        took.append((await _timed([load] * KEYS, list(range(KEYS))))[0])
        calls = upstream.calls
    ratio = statistics.median(took) / statistics.median(one)
    return Row(
        f"batch loader: {KEYS} at once, 20 ms upstream",
        f"{calls} calls, {statistics.median(took) * 1e3:.1f} ms = {ratio:.2f} × one call",
        "3 calls, ≤ 1.15 × one call",
        calls <= 3 and ratio <= 1.15,
        {"calls": calls, "ms": statistics.median(took) * 1e3, "ratio": ratio},
    )


async def _trickling() -> Row:
    upstream = Upstream()
    load = _ours(upstream)
    took: list[float] = []

    async def one(number: int) -> None:
        await asyncio.sleep(number / KEYS * TRICKLE_S)
        began = time.perf_counter()
        await load(number)
        took.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for number in range(KEYS):
            group.create_task(one(number))
    p50_ms = percentile(took, 0.5) * 1e3
    # Half of the first loads' window plus the call is what a 100 ms window makes of it.
    window_p50_ms = 100 - TRICKLE_S * 1e3 / 2 + UPSTREAM_S * 1e3
    return Row(
        f"batch loader: {KEYS} trickling over 30 ms",
        f"{upstream.calls} calls, p50 {p50_ms:.1f} ms",
        f"≤ 4 calls, p50 ≤ ½ of a 100 ms window's {window_p50_ms:.0f} ms",
        upstream.calls <= 4 and p50_ms <= window_p50_ms / 2,
        {"calls": upstream.calls, "p50_ms": p50_ms},
    )


def _ours(upstream: Upstream) -> Load:
    return Loader(upstream, max_batch=100).load


def _theirs(upstream: Upstream) -> Load:
    from aiodataloader import DataLoader

    async def fetch(keys: list[int]) -> list[int]:
        found = await upstream(keys)
        return [found[key] for key in keys]

    load: Load = DataLoader(fetch, max_batch_size=100).load
    return load


async def _per_key(make: Callable[[Upstream], Load]) -> float:
    load = make(Upstream(0))
    _, cpu = await _timed([load] * MANY, list(range(MANY)))
    empty = Upstream(0)
    _, tasks = await _timed([_bare(empty)] * MANY, list(range(MANY)))
    return (cpu - tasks) / MANY * 1e6


def _bare(_: Upstream) -> Load:
    async def load(key: int) -> int:
        await asyncio.sleep(0)
        return key

    return load


async def _timed(loads: Sequence[Load], keys: Sequence[int]) -> tuple[float, float]:
    """Return (seconds, CPU seconds) of loading each key in a task of its own."""
    began, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for load, key in zip(loads, keys, strict=True):
            group.create_task(_awaited(load, key))
    return time.perf_counter() - began, time.process_time() - cpu


async def _awaited(load: Load, key: int) -> None:
    await load(key)
