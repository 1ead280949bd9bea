"""What every bus does: it reaches the others, and whatever it does, nobody is harmed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from deskhub.bus.memory import MemoryBus
from deskhub.bus.nats import NatsBus
from deskhub.bus.port import Bus
from tests.support import databases

Ends = Callable[[int], contextlib.AbstractAsyncContextManager[list[Bus]]]


async def soon(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(buses: list[Bus]) -> AsyncIterator[list[Bus]]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(bus.run()) for bus in buses]
        await soon(lambda: all(bus.is_connected for bus in buses))
        yield buses
        for task in tasks:
            task.cancel()


@pytest.fixture(params=["memory", "nats"])
def ends(request: pytest.FixtureRequest) -> Ends:
    """Return what makes so many ends of one bus."""
    if request.param == "memory":
        bus = MemoryBus()
        return lambda count: running([bus.member() for _ in range(count)])
    databases.needs("NATS", databases.NATS)
    url = f"{databases.NATS}/test-{uuid4().hex[:8]}"
    return lambda count: running([NatsBus(url) for _ in range(count)])


async def test_a_wake_up_reaches_all_others_and_not_its_sender(ends: Ends) -> None:
    heard: list[tuple[int, str, int]] = []
    async with ends(3) as buses:
        for number, bus in enumerate(buses):
            bus.listen(lambda tenant, head, n=number: heard.append((n, tenant, head)))

        buses[0].wake("main", 7)
        await soon(lambda: len(heard) >= 2)

    assert sorted(heard) == [(1, "main", 7), (2, "main", 7)]


async def test_what_is_cast_arrives_in_order_and_with_its_tenant(ends: Ends) -> None:
    heard: list[tuple[str, bytes]] = []
    async with ends(2) as (here, there):
        there.listen(on_cast=lambda tenant, what: heard.append((tenant, what)))

        for number in range(50):
            here.cast("main" if number % 2 else "rival", b"%d" % number)
        await soon(lambda: len(heard) == 50)

    assert heard == [("main" if n % 2 else "rival", b"%d" % n) for n in range(50)]


async def test_whoever_stopped_listening_hears_nothing(ends: Ends) -> None:
    heard: list[int] = []
    others: list[int] = []
    async with ends(2) as (here, there):
        end = there.listen(lambda _, head: heard.append(head))
        there.listen(lambda _, head: others.append(head))

        end()
        here.wake("main", 7)
        await soon(lambda: bool(others))

    assert heard == []


async def test_a_listener_that_fails_harms_nobody(ends: Ends) -> None:
    heard: list[bytes] = []

    def broken(_tenant: str, _what: bytes) -> None:
        raise ValueError("not understood")

    async with ends(2) as (here, there):
        there.listen(on_cast=broken)
        there.listen(on_cast=lambda _, what: heard.append(what))

        here.cast("main", b"one")
        here.cast("main", b"two")
        await soon(lambda: len(heard) == 2)


async def test_without_a_server_nothing_is_raised_and_nothing_is_kept() -> None:
    bus = NatsBus("nats://127.0.0.1:1")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bus.run())
        for number in range(10_000):
            bus.wake("main", number)
            bus.cast("main", b"x")
        await asyncio.sleep(0)
        assert not bus.is_connected
        assert not bus._casts
        task.cancel()


async def test_it_connects_again_by_itself(tmp_path) -> None:
    from tests.support.nats_server import nats_server

    async with nats_server(tmp_path) as server:
        async with running([NatsBus(server.url), NatsBus(server.url)]) as (here, there):
            heard: list[int] = []
            there.listen(lambda _, head: heard.append(head))
            await server.kill()
            await soon(lambda: not here.is_connected and not there.is_connected)
            here.wake("main", 1)

            await server.start()
            await soon(lambda: here.is_connected and there.is_connected)
            here.wake("main", 2)
            await soon(lambda: bool(heard))

    assert heard == [2]
