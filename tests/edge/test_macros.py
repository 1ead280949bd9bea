"""Macros: several steps with one request, in order, once."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from deskhub.config import load
from deskhub.config.macros import Macro
from tests.edge.conftest import World

THANK = Macro(
    title={"en": "Thank and close"}, say={"en": "Thank you {{customer.name}}"}, tags=("thanks",),
    assign="me", close=True,
)  # fmt: skip


async def desk(world: World) -> tuple[httpx2.AsyncClient, str]:
    """Return an agent's client and a conversation; the hub has one macro."""
    world.hub.config = world.hub.config.model_copy(
        update={"macros": {"thank": THANK, "park": Macro(title={"en": "P"}, assign="queue")}}
    )
    visitor = await world.client((await world.visitor())["token"], **{"idempotency-key": "v-1"})
    opened = await visitor.post(
        "/api/v1/conversations", json={"body": {"kind": "text", "text": "hello"}}
    )
    agent = await world.client(await world.agent("agent"))
    return agent, opened.json()["conversation"]


async def run(client: httpx2.AsyncClient, of: str, key: str = "k-1", **body: Any) -> Any:
    return await client.post(
        f"/api/v1/conversations/{of}/macro",
        json={"macro": "thank", "text": "Thank you Wang"} | body,
        headers={"idempotency-key": key},
    )


async def kinds(client: httpx2.AsyncClient, of: str) -> list[str]:
    events = (await client.get(f"/api/v1/conversations/{of}")).json()["events"]
    return [event["kind"] for event in events]


STEPS = [
    "message.posted", "conversation.tagged", "conversation.assigned", "conversation.closed",
]  # fmt: skip


async def test_every_step_is_done_in_order(world: World) -> None:
    client, of = await desk(world)

    answer = await run(client, of)

    assert answer.json()["done"] == ["say", "tag", "assign", "close"]
    assert (await kinds(client, of))[-4:] == STEPS
    view = (await client.get(f"/api/v1/conversations/{of}")).json()["conversation"]
    assert (view["state"], view["tags"]) == ("closed", ["thanks"])


async def test_the_same_request_again_does_nothing_twice(world: World) -> None:
    client, of = await desk(world)

    first = await run(client, of)
    again = await run(client, of)

    assert again.json() == first.json()
    assert (await kinds(client, of))[-4:] == STEPS


async def test_a_refused_message_leaves_everything_as_it_was(world: World) -> None:
    client, of = await desk(world)

    answer = await run(client, of, text="x\x00")

    assert answer.status_code == 422
    assert "conversation.closed" not in await kinds(client, of)


@pytest.mark.parametrize("body", [{"macro": "park"}, {"text": ""}, {"macro": "nothing"}])
async def test_what_is_no_such_macro_is_refused(world: World, body: dict) -> None:
    client, of = await desk(world)

    assert (await run(client, of, **body)).status_code in (404, 422)
    assert len(await kinds(client, of)) == 2


async def test_macros_stand_in_the_snapshot(world: World) -> None:
    client, _ = await desk(world)

    macros = (await client.get("/api/v1/snapshot")).json()["macros"]

    assert [one["id"] for one in macros] == ["thank", "park"]
    assert macros[0]["say"] == {"en": "Thank you {{customer.name}}"}


def test_macros_are_read_from_hub_toml(tmp_path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text('[macros.bye]\ntitle = { en = "Bye" }\ntags = ["done"]\nclose = true\n')

    assert load(file).macros["bye"] == Macro(title={"en": "Bye"}, tags=("done",), close=True)


def test_a_macro_that_does_nothing_is_a_mistake(tmp_path) -> None:
    from deskhub.config import ConfigProblems

    file = tmp_path / "hub.toml"
    file.write_text('[macros.bye]\ntitle = { en = "Bye" }\n')

    with pytest.raises(ConfigProblems) as caught:
        load(file)
    assert "does nothing" in caught.value.problems[0].what
