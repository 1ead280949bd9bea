"""What belongs to somebody else looks exactly like what does not exist."""

from __future__ import annotations

from typing import Any

import pytest

from tests.edge.conftest import World
from tests.edge.test_access import BODIES, QUERIES, TABLE

OF_CONVERSATION = sorted(row for row in TABLE if "{conversation}" in row)
# What is the visitor's alone refuses agents before it looks for a conversation.
OF_AGENTS = [row for row in OF_CONVERSATION if "agent" in TABLE[row]]
OF_CUSTOMER = ["GET /api/v1/customers/{customer}"]


async def opened(world: World, inbox: str = "web") -> dict[str, Any]:
    """Return a visitor with a conversation and a customer."""
    visitor = await world.visitor(inbox, subject="C-1001")
    client = await world.client(visitor["token"], **{"idempotency-key": "open-1"})
    body = {"body": {"kind": "text", "text": "a private matter"}}
    answer = await client.post("/api/v1/conversations", json=body)
    assert answer.status_code == 201, answer.text
    known = await world.hub.identity.visitors.by_token(visitor["token"])
    return visitor | {
        "conversation": answer.json()["conversation"], "customer_id": known.customer,
    }  # fmt: skip


async def ask(world: World, token: str, row: str, **ids: str) -> tuple[int, dict[str, Any]]:
    """Call *row* with *ids* and return status and body without the request's own id."""
    client = await world.client(token, **{"idempotency-key": "foreign-1"})
    method, path = row.split(" ")
    answer = await client.request(
        method,
        path.format(**ids),
        json=BODIES.get(row, {}) if method in ("POST", "PUT") else None,
        params=QUERIES.get(row),
    )
    body = answer.json() if answer.content else {}
    body.pop("request_id", None)
    return answer.status_code, body


@pytest.mark.parametrize("row", OF_AGENTS)
async def test_another_tenants_conversation_does_not_exist(world: World, row: str) -> None:
    theirs = await opened(world, "other")
    agent = await world.agent("admin")

    foreign = await ask(world, agent, row, conversation=theirs["conversation"])
    absent = await ask(world, agent, row, conversation="c_0198c5aa00000000000000000000")

    assert foreign[0] == 404
    assert foreign == absent


@pytest.mark.parametrize("row", [row for row in OF_CONVERSATION if "visitor" in TABLE[row]])
async def test_another_visitors_conversation_does_not_exist(world: World, row: str) -> None:
    theirs = await opened(world)
    mine = await world.visitor()

    foreign = await ask(world, mine["token"], row, conversation=theirs["conversation"])
    absent = await ask(world, mine["token"], row, conversation="c_0198c5aa0000000000000000000")

    assert foreign[0] == 404
    assert foreign == absent


@pytest.mark.parametrize("row", OF_AGENTS)
async def test_a_conversation_of_an_inbox_that_is_not_mine_does_not_exist(
    world: World, row: str
) -> None:
    theirs = await opened(world)
    agent = await world.hub.identity.add_agent(
        tenant="main", email="narrow@example.com", name="Narrow", role="agent",
        password=None, inboxes=("second",),
    )  # fmt: skip
    token = (await world.hub.identity.begin(agent, how="test")).access

    status, _ = await ask(world, token, row, conversation=theirs["conversation"])

    assert status == 404


async def test_another_tenants_customer_does_not_exist(world: World) -> None:
    theirs = await opened(world, "other")
    agent = await world.agent("admin")

    foreign = await ask(world, agent, OF_CUSTOMER[0], customer=theirs["customer_id"])
    absent = await ask(world, agent, OF_CUSTOMER[0], customer="cu_nobody")

    assert foreign[0] == 404
    assert foreign == absent


async def test_another_tenants_agent_cannot_be_locked_out(world: World) -> None:
    await world.agent("agent", tenant="rival")
    (theirs,) = await world.hub.identity.agents("rival")
    admin = await world.client(await world.agent("admin"))

    answer = await admin.delete(f"/api/v1/users/{theirs.id}")

    assert answer.status_code == 404
    assert [one.id for one in await world.hub.identity.agents("rival")] == [theirs.id]


async def test_lists_and_snapshots_hold_nothing_of_other_tenants(world: World) -> None:
    theirs = await opened(world, "other")
    await world.agent("agent", tenant="rival", name="Rival Agent")
    admin = await world.client(await world.agent("admin"))

    for path in (
        "/api/v1/snapshot", "/api/v1/conversations?view=all", "/api/v1/agents",
        "/api/v1/runs", "/api/v1/adapters", "/api/v1/events?wait=0",
    ):  # fmt: skip
        answer = await admin.get(path)
        assert answer.status_code == 200, path
        for secret in (theirs["conversation"], theirs["visitor"], "private", "Rival Agent"):
            assert secret not in answer.text, path


async def test_a_visitors_snapshot_holds_nothing_of_other_visitors(world: World) -> None:
    theirs = await opened(world)
    mine = await world.client((await world.visitor())["token"])

    for path in ("/api/v1/snapshot", "/api/v1/events?wait=0"):
        answer = await mine.get(path)
        assert answer.status_code == 200
        assert theirs["conversation"] not in answer.text
        assert "private" not in answer.text


async def test_the_owner_sees_all_of_it(world: World) -> None:
    """The twin of the sweeps: with the right caller the same calls succeed."""
    mine = await opened(world)
    agent = await world.agent()
    ids = {"conversation": mine["conversation"]}

    for token in (mine["token"], agent):
        one = await ask(world, token, "GET /api/v1/conversations/{conversation}", **ids)
        page = await ask(
            world, token, "GET /api/v1/conversations/{conversation}/messages", **ids
        )
        assert (one[0], page[0]) == (200, 200)
        assert "a private matter" in str(page[1])
    found = await ask(world, agent, OF_CUSTOMER[0], customer=mine["customer_id"])
    assert found[0] == 200
