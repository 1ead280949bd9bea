"""Everybody at once: visitors who write and watchers who follow, until all has arrived."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from deskhub.cli.chaos.line import Line
from deskhub.cli.chaos.notes import Notes
from deskhub.cli.chaos.people import Visitor, Watcher
from deskhub.cli.chaos.process import NotRunning, Process
from deskhub.config import Inbox

VISITORS = 150
SETTLE_S = 30.0
BEGIN_S = 60.0
# How long a trap waits for an acknowledgement.
TRAP_S = 10.0
# Who forgot that they were cancelled is told again.
AGAIN_S = 0.5

# Where to connect to, asked again for each connection. Raises `ConnectionError` to wait.
Door = Callable[[], int]


@dataclass
class Crowd:
    """The people while they talk."""

    notes: Notes
    watchers: Sequence[Watcher]
    writing: Sequence[asyncio.Task[None]]
    stop: asyncio.Event

    async def acknowledged(self, more: int, within_s: float) -> None:
        """Wait until *more* messages than now are acknowledged. Raises `TimeoutError`."""
        wanted = len(self.notes.acked) + more
        async with asyncio.timeout(within_s):
            while len(self.notes.acked) < wanted:  # noqa: ASYNC110  a look is enough
                await asyncio.sleep(0.02)

    async def strike(self, hub: Process, within_s: float = TRAP_S) -> None:
        """Kill *hub* the moment somebody is told that a message is kept; wait for that."""
        struck = asyncio.Event()

        def spring() -> None:
            hub.strike()
            struck.set()

        self.notes.trap = spring
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await struck.wait()
        self.notes.trap = None

    async def settle(
        self, head: Callable[[], Awaitable[int]], within_s: float = SETTLE_S
    ) -> None:
        """Stop writing, deliver what is on its way, let every watcher come to *head*.

        Who has not come there *within_s* has lost something, which the comparison says.
        """
        self.stop.set()
        await asyncio.wait(self.writing, timeout=within_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while min(one.place for one in self.watchers) < await head():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def talking(
    notes: Notes,
    inbox: Inbox,
    password: str,
    dice: random.Random,
    *,
    door: Door,
    watched: Sequence[Door],
    visitors: int = VISITORS,
) -> AsyncIterator[Crowd]:
    """Let *visitors* come in by *door*; at each of *watched* one agent listens, one polls.

    Everybody has an address of their own, as behind a proxy, so that the hub's limits for one
    address and for one visitor stay on. Raises a group with `NotRunning` in it.
    """
    stop = asyncio.Event()
    origin = next(iter(inbox.origins), None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:

        def line(at: Door, number: int, of: str | None = None) -> Line:
            headers = {"x-forwarded-for": f"198.18.{number // 250}.{number % 250 + 1}"}
            return Line(http, at, headers | ({"origin": of} if of else {}))

        watchers = [
            Watcher(line(at, visitors + number), notes, f"watcher {number}", password,
                    polls=number % 2 == 1)
            for number, at in enumerate(one for at in watched for one in (at, at))
        ]  # fmt: skip
        notes.watchers = [one.name for one in watchers]
        watching = [group.create_task(one.run(), name=one.name) for one in watchers]
        # Who writes before a watcher has its place would be missing in what it saw.
        try:
            async with asyncio.timeout(BEGIN_S):
                while not all(one.cursor for one in watchers):  # noqa: ASYNC110  a look is enough
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            raise NotRunning("nobody could sign in and follow") from error
        people = [
            Visitor(line(door, number, origin), notes, number, inbox.key, dice)
            for number in range(visitors)
        ]
        writing = [group.create_task(one.run(stop), name=one.name) for one in people]
        yield Crowd(notes, watchers, writing, stop)
        await until_ended((*watching, *writing))


async def until_ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel *tasks* until all of them have ended.

    Before Python 3.13 a task group whose child fails in the moment that it is cancelled
    forgets the cancellation, and whoever dials a hub that is gone would dial for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)
