"""How an adapter feels in each process is seen from every one of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from deskhub.clock import SystemClock
from deskhub.edge import processes
from deskhub.edge.processes import PLACE, Processes
from deskhub.edge.watching import Watch
from deskhub.host.guard import Guard
from deskhub.host.running import Running
from deskhub.store import kv
from deskhub.store.store import Store
from tests.support import databases

pytestmark = pytest.mark.timeout(120)


class Later(SystemClock):
    """A clock that a test moves on."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Hub:
    """As much of a hub as this needs: a store and one instance."""

    def __init__(self, store: Store, clock: Later, name: str) -> None:
        self.store, self.clock = store, clock
        self.config = SimpleNamespace(tenants=("main",))
        self.one = Running(
            "shop", "main", use="orders", clock=clock, guard=Guard(clock.monotonic)
        )
        self.one.move("ready")
        self.host = SimpleNamespace(
            instances=lambda _: [self.one], all_instances=lambda: [self.one]
        )
        self.watch = Watch(self)  # type: ignore[arg-type]  # it asks only for what is here
        self.processes = Processes(self, self.watch, name=name)  # type: ignore[arg-type]

    def called(self, times: int, ms: float) -> None:
        figures = self.one.guard.figures
        figures.calls += times
        figures.durations_ms.append(ms)
        self.watch.sample()

    async def seen(self) -> list[tuple[Any, ...]]:
        return [
            (each.name, each.is_gone, each.felt.state, each.felt.breaker, each.felt.calls)
            for each in await self.processes.of(self.one)
        ]


@contextlib.asynccontextmanager
async def hub_at(url: str, name: str) -> AsyncIterator[Hub]:
    clock = Later()
    store = await Store.open(url, clock)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(store.run())
        yield Hub(store, clock, name)
        writer.cancel()
    await store.close()


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Hub, Hub]]:
    databases.needs("PostgreSQL", databases.ADMIN)
    with databases.postgres() as url:
        async with hub_at(url, "one:1") as here, hub_at(url, "two:2") as there:
            yield here, there


async def test_each_sees_the_figures_and_the_breaker_of_the_other(
    pair: tuple[Hub, Hub],
) -> None:
    here, there = pair
    here.called(3, 4.0)
    there.called(5, 90.0)
    for _ in range(20):
        there.one.guard.breaker.record(ok=False)

    await here.processes.tell()
    await there.processes.tell()

    assert await here.seen() == [
        ("one:1", False, "ready", "closed", 3), ("two:2", False, "degraded", "open", 5),
    ]  # fmt: skip
    assert [each[0] for each in await there.seen()] == ["two:2", "one:1"]
    (_, other) = await here.processes.of(here.one)
    assert (other.felt.p95_ms, [point.calls for point in other.felt.points]) == (90.0, [5])


async def test_one_that_was_killed_is_gone_after_a_while_and_then_forgotten(
    pair: tuple[Hub, Hub],
) -> None:
    here, there = pair
    there.called(5, 1.0)
    await there.processes.tell()

    here.clock.ahead = timedelta(seconds=processes.GONE_AFTER_S + 1)
    after_a_while = await here.seen()
    here.clock.ahead = timedelta(seconds=processes.FORGOTTEN_AFTER_S + 1)
    await here.processes.tell()

    assert after_a_while[1] == ("two:2", True, "ready", "closed", 5)
    assert [each[0] for each in await here.seen()] == ["one:1"]


async def test_one_that_ends_says_so_and_its_hour_is_kept(pair: tuple[Hub, Hub]) -> None:
    here, there = pair
    there.called(7, 1.0)

    async with asyncio.TaskGroup() as group:
        sharing = group.create_task(there.processes.share())
        await asyncio.sleep(0.5)
        sharing.cancel()

    assert (await here.seen())[1] == ("two:2", True, "ready", "closed", 7)


async def test_what_is_kept_is_one_value_for_each_process(pair: tuple[Hub, Hub]) -> None:
    here, there = pair
    for number in range(400):
        here.called(1, float(number % 7))

    for _ in range(5):
        await here.processes.tell()
        await there.processes.tell()

    rows = await here.store.read(lambda db: kv.newest(db, "main", PLACE, 100))
    assert len(rows) == 2
    assert max(len(value) for _, value in rows) < 4_000


async def test_what_another_version_says_is_passed_over(pair: tuple[Hub, Hub]) -> None:
    here, _ = pair
    await here.store.transact(
        "main", lambda tx: kv.put(tx.connection, "main", PLACE, "p_x", b"\x01", tx.now)
    )

    assert [each[0] for each in await here.seen()] == ["one:1"]
