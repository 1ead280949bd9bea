"""Service levels: who waits too long gets a tag, once, and nobody else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskhub.builtin.sla import Sla, SlaConfig, Target, Watch
from deskhub.chat.commands import PostMessage, Snooze, Wake
from deskhub.host.ports import BuiltIn
from tests.host.small_hub import AGENT, SmallHub, eventually, small_hub, visitor

ALWAYS = (((0, 1440),),) * 7


def feature(
    response_s: float | None = None, resolution_s: float | None = None
) -> list[BuiltIn]:
    target = Target(week=ALWAYS, response_s=response_s, resolution_s=resolution_s)
    return [BuiltIn(Sla, SlaConfig(inboxes={"shop": target}))]


async def until(get: Callable[[], Any], wanted: object) -> None:
    async def same() -> bool:
        return await get() == wanted

    await eventually(same, 20)


async def tags(hub: SmallHub) -> list[str]:
    events = await hub.events("conversation.tagged")
    return [tag for one in events for tag in msgspec.json.decode(one.data)["added"]]


async def watches(hub: SmallHub) -> dict[str, Watch]:
    from deskhub.store.tables.hub import adapter_value

    found: dict[str, Watch] = {}
    for row in await hub.rows(adapter_value):
        found |= msgspec.msgpack.decode(row["value"], type=dict[str, Watch])
    return found


async def test_who_waits_too_long_is_tagged_once(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=feature(response_s=0.2)) as hub:
        one = await hub.open(visitor("v_1"))

        await until(lambda: tags(hub), ["late-reply"])
        await hub.do(visitor("v_1"), PostMessage(one, "still there?"))
        await until(lambda: _seen(hub, one), True)
        assert await tags(hub) == ["late-reply"]


async def _seen(hub: SmallHub, conversation: str) -> bool:
    return (await watches(hub))[conversation].response_due is None


async def test_an_answer_in_time_ends_the_wait(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=feature(response_s=3600)) as hub:
        one = await hub.open(visitor("v_1"))
        await until(lambda: _waits(hub, one), True)

        await hub.do(AGENT, PostMessage(one, "hello"))

        await until(lambda: _waits(hub, one), False)
        assert await tags(hub) == []


async def _waits(hub: SmallHub, conversation: str) -> bool | None:
    found = (await watches(hub)).get(conversation)
    return found.since is not None if found else None


async def test_the_clock_stands_while_it_is_snoozed(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=feature(3600, 7200)) as hub:
        one = await hub.open(visitor("v_1"))
        await until(lambda: _waits(hub, one), True)

        await hub.do(AGENT, Snooze(one, datetime.now(UTC) + timedelta(hours=9)))
        await until(lambda: _waits(hub, one), False)
        asleep = (await watches(hub))[one]
        await hub.do(AGENT, Wake(one))
        await until(lambda: _waits(hub, one), True)
        awake = (await watches(hub))[one]

    assert (asleep.is_paused, asleep.response_due, asleep.resolution_due) == (True, None, None)
    assert awake.waited_s == pytest.approx(asleep.waited_s)
    assert awake.response_due == awake.since + timedelta(seconds=3600 - awake.waited_s)
    assert awake.resolution_due == awake.since + timedelta(seconds=7200 - awake.used_s)


async def test_a_closed_conversation_is_forgotten(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=feature(3600)) as hub:
        one = await hub.open(visitor("v_1"))
        await until(lambda: _waits(hub, one), True)

        await hub.close(one)

        await until(lambda: _waits(hub, one), None)


async def test_a_resolution_that_takes_too_long_is_tagged(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=feature(None, 0.2)) as hub:
        await hub.open(visitor("v_1"))

        await until(lambda: tags(hub), ["late-solution"])


async def test_a_wait_survives_a_restart(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=feature(1.5)) as hub:
        one = await hub.open(visitor("v_1"))
        await until(lambda: _waits(hub, one), True)
        assert await tags(hub) == []

    async with small_hub(tmp_path, {}, builtins=feature(1.5)) as hub:
        await until(lambda: tags(hub), ["late-reply"])


async def test_an_inbox_without_a_target_is_not_watched(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=[BuiltIn(Sla, SlaConfig())]) as hub:
        await hub.open(visitor("v_1"))
        await hub.open(visitor("v_2"))

        assert await watches(hub) == {}
