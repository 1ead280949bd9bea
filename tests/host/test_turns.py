"""Two processes on one database: what one should do is done by one, and never by none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deskhub.chat.commands import PostMessage
from deskhub.clock import SystemClock
from deskhub.host.turns import Turns
from deskhub.store.store import Store
from deskhub_sdk import Message, hookimpl
from tests.host.small_hub import Plain, eventually, small_hub, visitor
from tests.support import databases

ANNA = visitor("v_anna")


@pytest.fixture
def on_server(monkeypatch: pytest.MonkeyPatch) -> None:
    databases.needs("PostgreSQL", databases.ADMIN)
    monkeypatch.setenv("DESKHUB_TEST_STORE", "postgresql")


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await Store.open(url, SystemClock())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(store.run())
        yield store
        running.cancel()
    await store.close()


class Work:
    """Says when it runs."""

    def __init__(self) -> None:
        self.began = 0
        self.runs = False

    async def run(self) -> None:
        self.began += 1
        self.runs = True
        try:
            await asyncio.Event().wait()
        finally:
            self.runs = False


async def test_an_announcement_is_told_by_one_of_two_processes(
    on_server: None, tmp_path: Path
) -> None:
    heard: list[str] = []

    class Bot(Plain):
        @hookimpl
        async def message_posted(self, message: Message) -> None:
            heard.append(message.text)

    async with small_hub(tmp_path, {"bot": Bot}) as first:
        conversation = await first.open(ANNA, "0")
        async with small_hub(tmp_path, {"bot": Bot}) as second:
            for number in range(1, 10):
                hub = first if number % 2 else second
                await hub.do(ANNA, PostMessage(conversation, str(number)), f"k{number}")
            await eventually(lambda: len(heard) >= 10)
            assert heard == [str(number) for number in range(10)]
    async with small_hub(tmp_path, {"bot": Bot}) as third:
        await third.do(ANNA, PostMessage(conversation, "10"), "k10")
        await eventually(lambda: len(heard) >= 11)

    assert heard == [str(number) for number in range(11)]


async def test_a_turn_goes_on_elsewhere_when_its_holder_is_gone(on_server: None) -> None:
    with databases.postgres() as url:
        async with opened(url) as here, opened(url) as there:
            first, second = Work(), Work()
            async with asyncio.TaskGroup() as group:
                held = group.create_task(
                    Turns(here, claim_s=1.5).while_mine("main", "x", first.run)
                )
                await eventually(lambda: first.runs)
                waiting = group.create_task(
                    Turns(there, claim_s=1.5).while_mine("main", "x", second.run)
                )
                await asyncio.sleep(2)
                assert (first.began, second.began) == (1, 0)

                held.cancel()
                await eventually(lambda: second.runs)
                waiting.cancel()


async def test_a_holder_that_vanished_is_waited_for_no_longer_than_its_claim(
    on_server: None,
) -> None:
    with databases.postgres() as url:
        async with opened(url) as store:
            gone = Turns(store, claim_s=1.0)
            assert await gone._claim("main", "x")

            began = asyncio.get_running_loop().time()
            work = Work()
            async with asyncio.TaskGroup() as group:
                task = group.create_task(
                    Turns(store, claim_s=1.0).while_mine("main", "x", work.run)
                )
                await eventually(lambda: work.runs)
                waited = asyncio.get_running_loop().time() - began
                task.cancel()

    assert 0.5 < waited < 3


async def test_a_database_of_ones_own_needs_no_turns(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path / uuid4().hex}.db") as store:
        work = Work()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(Turns(store).while_mine("main", "x", work.run))
            await eventually(lambda: work.runs)
            task.cancel()
