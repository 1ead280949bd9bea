"""Visitors who write and agents who watch, for as long as something bad happens to the hub."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from deskhub.cli.chaos.crowd import until_ended
from tests.support.client import FAST, Client, Ledger, Pace, Verdict, at_head
from tests.support.served import Served


@dataclass
class Crowd:
    """The people; `settle` makes them finish and `judge` compares them with the database."""

    hub: Served
    ledger: Ledger
    visitors: list[Client]
    agents: list[Client]
    writers: list[asyncio.Task[None]] = field(default_factory=list)

    async def acknowledged(self, more: int, within_s: float = 60) -> None:
        """Wait until *more* messages than now are acknowledged."""
        wanted = len(self.ledger.acked) + more
        async with asyncio.timeout(within_s):
            while len(self.ledger.acked) < wanted:
                await asyncio.sleep(0.01)

    async def settle(self, within_s: float = 60) -> None:
        """Stop writing, deliver what is in the outboxes, let every agent see all of it."""
        self.stop_writing()
        for one in self.visitors:
            await one.delivered(within_s)
        await at_head(self.agents, self.hub.head(), within_s)

    def stop_writing(self) -> None:
        for task in self.writers:
            task.cancel()

    def judge(self) -> Verdict:
        """Compare with the database."""
        return self.ledger.judge(self.hub.db, observers=tuple(one.name for one in self.agents))


@contextlib.asynccontextmanager
async def crowd(
    hub: Served,
    *,
    port: int | Callable[[], int] | None = None,
    visitors: int = 8,
    agents: int = 3,
    per_s: float = 15.0,
    pace: Pace = FAST,
    seed: int = 1,
    text: Callable[[], str] = lambda: "",
    token: Callable[[str], str] = str,
) -> AsyncIterator[Crowd]:
    """Run *visitors*, each writing *per_s* messages, and *agents*; every third one polls."""
    where = hub.port if port is None else port
    ledger, start = Ledger(), await hub.start_cursor()
    people = [
        Client(
            where,
            token(f"visitor.v_{n}"),
            ledger,
            name=f"visitor {n}",
            pace=pace,
            dice=random.Random(seed + n),
            polls_only=n % 3 == 2,
        )
        for n in range(visitors)
    ]
    staff = [
        Client(
            where, token(f"agent.a_{1 + n % 3}"), ledger, name=f"agent {n}", cursor=start, pace=pace,
            dice=random.Random(-seed - n), polls_only=n % 3 == 2,
        )
        for n in range(agents)
    ]  # fmt: skip
    one = Crowd(hub, ledger, people, staff)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(person.run()) for person in (*people, *staff)]
        dice = random.Random(seed)
        one.writers = [group.create_task(_write(p, dice, per_s, text)) for p in people]
        yield one
        await until_ended((*running, *one.writers))


async def _write(
    client: Client, dice: random.Random, per_s: float, text: Callable[[], str]
) -> None:
    while True:
        # An outbox that only grows says nothing about the hub.
        if len(client.outbox) < 20:
            client.post(text())
        await asyncio.sleep(dice.expovariate(per_s))
