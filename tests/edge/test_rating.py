"""A rating over REST: asked of the visitor alone, once for each closing, seen by agents."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from deskhub.ids import new_id
from tests.edge.conftest import SHOP, World


async def talked(world: World) -> tuple[str, httpx2.AsyncClient, httpx2.AsyncClient]:
    """Return a closed conversation, and its visitor and agent as clients."""
    visitor = await world.client((await world.visitor())["token"])
    agent = await world.client(await world.agent())
    body = {"body": {"kind": "text", "text": "Hello"}}
    opened = await post(visitor, "/api/v1/conversations", body)
    await post(agent, f"/api/v1/conversations/{opened.json()['conversation']}/close")
    return opened.json()["conversation"], visitor, agent


async def post(
    client: httpx2.AsyncClient, path: str, body: Any = None, key: str = ""
) -> httpx2.Response:
    return await client.post(path, json=body, headers={"idempotency-key": key or new_id("k")})


async def test_a_closing_is_rated_once_and_agents_see_it(world: World) -> None:
    conversation, visitor, agent = await talked(world)
    here = f"/api/v1/conversations/{conversation}"
    before = (await visitor.get(here)).json()["conversation"]

    first = await post(visitor, f"{here}/rate", {"score": 4, "comment": "Quick"}, "rate-1")
    again = await post(visitor, f"{here}/rate", {"score": 4, "comment": "Quick"}, "rate-1")
    other = await post(visitor, f"{here}/rate", {"score": 1})

    said = first.json()["event"]["data"]
    assert (said["score"], said["comment"]) == (4, "Quick")
    assert said["closing"] == before["unrated"]
    assert (again.status_code, again.json()["dup"]) == (200, True)
    assert (other.status_code, other.json()["code"]) == (409, "not_rateable")
    seen = (await agent.get(here)).json()
    assert seen["conversation"]["rating"]["score"] == 4
    assert seen["events"][-1]["kind"] == "conversation.rated"
    assert (await visitor.get(here)).json()["conversation"]["unrated"] is None


async def test_after_the_next_closing_it_is_asked_again(world: World) -> None:
    conversation, visitor, agent = await talked(world)
    here = f"/api/v1/conversations/{conversation}"
    await post(visitor, f"{here}/rate", {"score": 2})

    await post(agent, f"{here}/reopen")
    open_again = await post(visitor, f"{here}/rate", {"score": 5})
    await post(agent, f"{here}/close")
    second = await post(visitor, f"{here}/rate", {"score": 5})

    assert open_again.status_code == 409
    assert second.status_code == 200
    view = (await agent.get(here)).json()["conversation"]
    assert view["rating"]["score"] == 5


async def test_another_visitor_does_not_learn_that_it_exists(world: World) -> None:
    conversation, _, agent = await talked(world)
    other = await world.client((await world.visitor())["token"])
    path = f"/api/v1/conversations/{conversation}/rate"

    assert (await post(other, path, {"score": 1})).status_code == 404
    assert (await post(agent, path, {"score": 1})).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {}, {"score": 0}, {"score": 6}, {"score": "5"}, {"score": 4.5}, {"score": True},
        {"score": 5, "comment": "x" * 1001}, {"score": 5, "extra": 1},
    ],
)  # fmt: skip
async def test_what_is_no_rating_is_refused(world: World, body: dict[str, Any]) -> None:
    conversation, visitor, _ = await talked(world)

    answer = await post(visitor, f"/api/v1/conversations/{conversation}/rate", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_the_shops_page_may_send_a_rating_and_no_other_page(world: World) -> None:
    client = await world.client()
    path = "/api/v1/conversations/c_1/rate"

    def asks(origin: str) -> dict[str, str]:
        return {"origin": origin, "access-control-request-method": "POST"}

    ours = await client.options(path, headers=asks(SHOP))
    other = await client.options(path, headers=asks("https://evil.example"))

    assert ours.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-origin" not in other.headers
