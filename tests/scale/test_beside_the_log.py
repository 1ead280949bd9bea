"""What people see of each other when they are connected to different processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deskhub.bus.memory import MemoryBus
from deskhub.bus.nats import NatsBus
from tests.support import databases
from tests.support.chat import ChatHub, chat_hub

Pair = tuple[ChatHub, ChatHub]


@pytest.fixture(params=["sqlite and memory", "postgresql and nats"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    """Yield two hubs on one database and one bus."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite and memory":
            url = f"sqlite:///{tmp_path / 'hub.db'}"
            shared = MemoryBus()
            ends: list[Any] = [shared.member(), shared.member()]
        else:
            databases.needs("NATS", databases.NATS)
            url = stack.enter_context(databases.postgres())
            prefix = f"test-{uuid4().hex[:8]}"
            ends = [NatsBus(f"{databases.NATS}/{prefix}") for _ in range(2)]
        db = tmp_path / "hub.db"
        async with (
            chat_hub(db, url=url, bus=ends[0]) as here,
            chat_hub(db, url=url, bus=ends[1]) as there,
        ):
            async with asyncio.timeout(10):
                while not all(end.is_connected for end in ends):
                    await asyncio.sleep(0.01)
            yield here, there


async def test_a_message_written_there_is_read_here_at_once(pair: Pair) -> None:
    here, there = pair
    async with here.dial("agent.a_1") as agent, there.dial("visitor.v_1") as visitor:
        await agent.until("welcome")
        result = await visitor.send("Hello", "k1")
        events = await agent.events(2)

    assert result["ok"]
    assert [one["kind"] for one in events] == ["conversation.opened", "message.posted"]


async def test_typing_looking_and_coming_are_seen_across_processes(pair: Pair) -> None:
    here, there = pair
    async with here.dial("agent.a_1") as agent:
        await agent.until("welcome")
        async with there.dial("visitor.v_1") as visitor, there.dial("agent.a_2") as colleague:
            came = await agent.until("ephemeral", kind="presence", by="agent:a_2")
            where = (await visitor.send("Hello", "k1"))["conversation"]
            await agent.put({"t": "open", "conversation": where, "on": True})
            await colleague.put({"t": "open", "conversation": where, "on": True})
            looks = await agent.until("ephemeral", kind="viewing", by="agent:a_2")
            looked = await colleague.until("ephemeral", kind="viewing", by="agent:a_1")
            await visitor.put({"t": "typing", "conversation": where, "on": True})
            types = await agent.until("ephemeral", kind="typing")
            await agent.put({"t": "typing", "conversation": where, "on": True})
            answers = await visitor.until("ephemeral", kind="typing")

            there.streams.push_panel("main", where, {"instance": "orders", "title": "Order"})
            panel = await agent.until("ephemeral", kind="panel")
            assert "visitor:v_1" in here.streams.online("main")

    assert came["data"]["online"]
    assert looks["data"]["on"]
    assert looked["data"]["on"]
    assert (types["by"], answers["by"]) == ("visitor:v_1", "agent:a_1")
    assert panel["data"]["title"] == "Order"


async def test_rights_that_end_there_end_here(pair: Pair) -> None:
    here, there = pair
    async with here.dial("visitor.v_1") as visitor:
        await visitor.until("welcome")
        for hub in pair:
            hub.people.revoked.add("v_1")

        async with asyncio.timeout(5):
            there.streams.close_revoked("main", "v_1")
            code = await visitor.closed()

    assert code == 4504


async def test_a_cursor_of_one_process_is_understood_by_the_other(pair: Pair) -> None:
    here, there = pair
    async with here.dial("visitor.v_1") as visitor:
        where = (await visitor.send("one", "k1"))["conversation"]
        # Its own events may come before the result or after it.
        while not str(visitor.cursor).endswith(":2"):
            await visitor.next()
        cursor = visitor.cursor
    async with here.dial("agent.a_1") as agent:
        await agent.until("welcome")
        await agent.put(
            {
                "t": "send", "id": "k2", "conversation": where, "cid": "k2",
                "body": {"kind": "text", "text": "two"},
            }
        )  # fmt: skip
        result = await agent.until("result", id="k2")
    async with there.dial("visitor.v_1", cursor) as again:
        welcome = await again.until("welcome")
        events = await again.events(1)

    assert welcome["mode"] == "resumed"
    assert events[0]["seq"] == result["seq"]
