"""The bus only wakes: what it says reaches every other end, and nobody depends on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from deskhub.bus.memory import MemoryBus
from deskhub.chat.commands import OpenConversation
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.store.store import Store
from deskhub.stream.relay import Relay
from tests.support.chat import person


def test_a_wake_up_reaches_the_others_and_not_its_sender() -> None:
    bus = MemoryBus()
    here, there = bus.member(), bus.member()
    heard: list[tuple[str, str, int]] = []
    here.listen(lambda tenant, head: heard.append(("here", tenant, head)))
    there.listen(lambda tenant, head: heard.append(("there", tenant, head)))

    here.wake("main", 7)

    assert heard == [("there", "main", 7)]


def test_whoever_stopped_listening_hears_nothing() -> None:
    bus = MemoryBus()
    here, there = bus.member(), bus.member()
    heard: list[int] = []
    end = there.listen(lambda _, head: heard.append(head))

    end()
    here.wake("main", 7)

    assert heard == []


@contextlib.asynccontextmanager
async def running(store: Store, relay: Relay | None) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.run())]
        if relay is not None:
            tasks.append(group.create_task(relay.run()))
        await asyncio.sleep(0)
        yield
        for task in reversed(tasks):
            task.cancel()
    await store.close()


async def test_without_a_single_wake_up_only_time_is_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    here = await Store.open(url, SystemClock())
    there = await Store.open(url, SystemClock())
    async with running(here, None), running(there, None):
        command = OpenConversation("web", "Hello")
        receipt = await Chat(here).do(person("visitor", "v_1"), command, cid="k")
        async with asyncio.timeout(5):
            async for events in there.tail.follow("main", 0):
                if events[-1].seq == receipt.seq:
                    break
            else:
                raise AssertionError("the log ended")

    assert there.tail.head("main") == receipt.seq
