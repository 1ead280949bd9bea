"""A storm of cuts between clients and the hub: nothing lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.faults.scale import SCALE
from tests.support.client import Client, Ledger, Verdict, at_head
from tests.support.proxy import Proxy, Weather
from tests.support.served import served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SECONDS = 5.0 * SCALE


async def storm(
    folder: Path,
    *,
    seed: int,
    sabotage: str = "",
    forgets_cursor: bool = False,
    seconds: float = SECONDS,
) -> tuple[Verdict, list[Client], Proxy]:
    """Let visitors and agents talk for *seconds* through a network that keeps breaking."""
    ledger, dice = Ledger(), random.Random(seed)
    async with (
        served(
            folder / "link.db",
            "--heartbeat-s",
            "1",
            "--answer-s",
            "1",
            env={"DESKHUB_SABOTAGE": sabotage},
        ) as hub,
        Proxy(hub.port, seed=seed, weather=Weather(0.002, 0.01)) as proxy,
    ):
        start = await hub.start_cursor()
        visitors = [
            Client(
                proxy.port,
                f"visitor.v_{n}",
                ledger,
                dice=random.Random(seed + n),
                polls_only=n % 3 == 2,
            )
            for n in range(9)
        ]
        agents = [
            Client(
                proxy.port, f"agent.a_{1 + n % 3}", ledger, name=f"agent {n}", cursor=start,
                dice=random.Random(seed - n - 1), polls_only=n == 3, forgets_cursor=forgets_cursor,
            )
            for n in range(4)
        ]  # fmt: skip
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one.run()) for one in (*visitors, *agents)]
            writing = [group.create_task(_write(one, dice)) for one in visitors]
            weather = group.create_task(proxy.storm((0.1, 0.4)))
            await asyncio.sleep(seconds)
            for task in (weather, *writing):
                task.cancel()
            for one in visitors:
                await one.delivered(60)
            if not forgets_cursor:
                await at_head(agents, hub.head(), 60)
            for task in running:
                task.cancel()
        observers = tuple(one.name for one in agents)
        return ledger.judge(hub.db, observers=observers), [*visitors, *agents], proxy


async def _write(client: Client, dice: random.Random) -> None:
    while True:
        # An outbox that only grows says nothing about the network.
        if len(client.outbox) < 20:
            client.post()
        await asyncio.sleep(dice.expovariate(15))


async def test_a_storm_of_cuts_loses_doubles_and_reorders_nothing(tmp_path: Path) -> None:
    verdict, clients, proxy = await storm(tmp_path, seed=11)

    print(f"{proxy.accepted} connections: {verdict}")
    assert verdict.is_clean, str(verdict)
    assert verdict.acknowledged > 100
    assert sum(one.opens for one in clients) > len(clients)


async def test_without_websockets_the_talk_goes_on_by_poll_and_returns(tmp_path: Path) -> None:
    ledger = Ledger()
    async with served(tmp_path / "link.db") as hub, Proxy(hub.port) as proxy:
        start = await hub.start_cursor()
        visitor = Client(proxy.port, "visitor.v_1", ledger, cursor=start)
        agent = Client(proxy.port, "agent.a_1", ledger, cursor=start)
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one.run()) for one in (visitor, agent)]
            async with asyncio.timeout(60):
                await agent.is_welcome.wait()
                proxy.weather.refuses_upgrades = True
                proxy.end_all("reset")
                while not (visitor.polled and agent.polled):
                    visitor.post()
                    await asyncio.sleep(0.05)
                await visitor.delivered(60)
                opens, proxy.weather.refuses_upgrades = agent.opens, False
                while agent.opens == opens:
                    visitor.post()
                    await asyncio.sleep(0.05)
            await visitor.delivered(60)
            await at_head([visitor, agent], hub.head(), 60)
            for task in running:
                task.cancel()
        verdict = ledger.judge(hub.db, observers=("agent.a_1", "visitor.v_1"))

    assert verdict.is_clean, str(verdict)


async def test_the_check_notices_missing_deduplication(tmp_path: Path) -> None:
    verdict, *_ = await storm(tmp_path, seed=12, sabotage="no_dedupe", seconds=2.5)

    assert verdict.duplicates > 0, str(verdict)


async def test_the_check_notices_a_client_that_forgets_its_place(tmp_path: Path) -> None:
    verdict, *_ = await storm(tmp_path, seed=13, forgets_cursor=True, seconds=2.5)

    assert verdict.lost > 0, str(verdict)
