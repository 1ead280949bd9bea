"""Routing: the least busy within capacity, then the longest idle; nobody is forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskhub.builtin import Routing, RoutingConfig
from deskhub.builtin.routing import pick_seat
from deskhub.chat.commands import Assign
from deskhub.host.ports import BuiltIn
from deskhub_sdk import Seat
from tests.host.small_hub import AGENT, SmallHub, eventually, small_hub, visitor

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FEATURE = [BuiltIn(Routing, RoutingConfig())]


def seat(agent: str, load: int = 0, capacity: int = 5, idle_min: int = 0) -> Seat:
    return Seat(
        agent=agent, load=load, capacity=capacity, idle_since=NOW - timedelta(minutes=idle_min)
    )


def test_the_least_busy_gets_it() -> None:
    chosen = pick_seat([seat("a", 2), seat("b", 1), seat("c", 3)])

    assert chosen is not None
    assert chosen.agent == "b"


def test_of_two_as_busy_the_longest_idle_gets_it() -> None:
    chosen = pick_seat([seat("a", 1, idle_min=3), seat("b", 1, idle_min=9)])

    assert chosen is not None
    assert chosen.agent == "b"


def test_nobody_gets_more_than_they_may_hold() -> None:
    assert pick_seat([seat("a", 5), seat("b", 2, capacity=2)]) is None
    assert pick_seat([]) is None


@given(
    st.lists(
        st.builds(
            seat, st.text(min_size=1, max_size=2), st.integers(0, 9), st.integers(0, 9),
            st.integers(0, 99),
        )
    )
)  # fmt: skip
def test_the_choice_has_room_and_nobody_with_room_is_less_busy(seats: list[Seat]) -> None:
    chosen = pick_seat(seats)
    free = [one for one in seats if one.load < one.capacity]

    assert (chosen is None) == (not free)
    if chosen is not None:
        assert chosen.load == min(one.load for one in free)


async def assigned(hub: SmallHub) -> list[tuple[str | None, str, str]]:
    found = []
    for event in await hub.events("conversation.assigned"):
        data = msgspec.json.decode(event.data)
        found.append((event.conversation, data["assignee"], data["how"]))
    return found


async def test_a_new_conversation_goes_to_an_agent_by_name(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        hub.seats.seats = [seat("a_1")]
        conversation = await hub.open(visitor("v_1"))
        await eventually(lambda: assigned(hub))

        assert await assigned(hub) == [(conversation, "a_1", "routing")]
        (event,) = await hub.events("conversation.assigned")

    assert event.by == "system:routing"
    assert msgspec.json.decode(event.data)["name"] == "Agent a_1"


async def test_conversations_are_spread_and_wait_when_all_are_full(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        hub.seats.seats = [seat("a", capacity=2), seat("b", capacity=1)]
        opened = [await hub.open(visitor(f"v_{number}")) for number in range(5)]
        await eventually(lambda: _count(hub, 3))
        await asyncio.sleep(0.05)

        given_out = await assigned(hub)
        assert sorted(agent for _, agent, _ in given_out) == ["a", "a", "b"]
        assert {of for of, _, _ in given_out} == set(opened[:3]), "who waits longest is first"

        await hub.close(opened[0])
        await eventually(lambda: _count(hub, 4))
        assert (await assigned(hub))[3][0] == opened[3]


async def _count(hub: SmallHub, count: int) -> bool:
    return len(await assigned(hub)) >= count


async def test_who_waited_is_taken_when_somebody_comes(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        waiting = [await hub.open(visitor(f"v_{number}")) for number in range(2)]
        hub.seats.seats = [seat("a")]

        hub.announcer.agent_available("main", "shop")
        await eventually(lambda: _count(hub, 2))

        assert {of for of, _, _ in await assigned(hub)} == set(waiting)


async def test_who_waited_over_a_restart_is_not_forgotten(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        waiting = await hub.open(visitor("v_1"))
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        hub.seats.seats = [seat("a")]
        hub.announcer.agent_available("main", "shop")
        await eventually(lambda: assigned(hub))

        assert (await assigned(hub))[0][0] == waiting


async def test_what_a_person_took_is_left_with_them(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        conversation = await hub.open(visitor("v_1"))
        await hub.do(AGENT, Assign(conversation, "a_1"))
        hub.seats.seats = [seat("b")]
        hub.announcer.agent_available("main", "shop")
        await hub.open(visitor("v_2"))
        await eventually(lambda: _count(hub, 2))

        assert [agent for of, agent, _ in await assigned(hub) if of == conversation] == ["a_1"]


async def test_two_announcements_at_once_give_nothing_out_twice(tmp_path: Path) -> None:
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        opened = [await hub.open(visitor(f"v_{number}")) for number in range(6)]
        hub.seats.seats = [seat("a"), seat("b")]
        routing = hub.host.instance("routing").adapter
        assert isinstance(routing, Routing)

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(routing.agent_available("shop"))

        given_out = await assigned(hub)
        assert sorted(of or "" for of, _, _ in given_out) == sorted(opened)


@pytest.mark.parametrize("how", ["transfer"])
async def test_a_conversation_put_back_into_the_queue_is_given_out_again(
    tmp_path: Path, how: str
) -> None:
    async with small_hub(tmp_path, {}, builtins=FEATURE) as hub:
        hub.seats.seats = [seat("a")]
        conversation = await hub.open(visitor("v_1"))
        await eventually(lambda: _count(hub, 1))

        await hub.do(AGENT, Assign(conversation, None, how))  # type: ignore[arg-type]
        await eventually(lambda: _count(hub, 3))

        assert [agent for _, agent, _ in await assigned(hub)] == ["a", None, "a"]
