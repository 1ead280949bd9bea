"""Agents sign in, stay in, and are out when they must be."""

from __future__ import annotations

import asyncio

import pytest

from deskhub.identity.attempts import PER_PAIR
from tests.edge.conftest import PASSWORD, World


async def signed_in(world: World) -> dict:
    await world.agent()
    client = await world.client()
    body = {"email": "Agent-Main@Example.com ", "password": PASSWORD}
    answer = await client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_right_password_gives_a_session(world: World) -> None:
    session = await signed_in(world)

    me = await (await world.client(session["access"])).get("/api/v1/agents/me")

    assert session["expires_in"] == 900
    assert me.json() == session["agent"]
    assert me.json()["name"] == "Li Wei"


@pytest.mark.parametrize(
    "body",
    [
        {"email": "agent-main@example.com", "password": "wrong password"},
        {"email": "nobody@example.com", "password": PASSWORD},
    ],
)
async def test_a_wrong_password_and_an_unknown_email_look_the_same(
    world: World, body: dict
) -> None:
    await world.agent()

    answer = await (await world.client()).post("/api/v1/sessions", json=body)

    problem = answer.json()
    problem.pop("request_id")
    assert answer.status_code == 401
    assert problem == {
        "type": "urn:deskhub:problem:sign_in_refused",
        "title": "Sign in refused",
        "status": 401,
        "code": "sign_in_refused",
        "detail": "This e-mail and password do not belong together.",
        "retry": "never",
    }


async def test_parallel_wrong_passwords_are_evaluated_no_more_often_than_the_limit(
    world: World,
) -> None:
    await world.agent()
    client = await world.client()
    body = {"email": "agent-main@example.com", "password": "wrong password"}

    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(client.post("/api/v1/sessions", json=body)) for _ in range(60)
        ]
    answers = [task.result() for task in tasks]

    assert sum(answer.status_code == 401 for answer in answers) == PER_PAIR
    locked = [answer for answer in answers if answer.status_code == 429]
    assert len(locked) == 60 - PER_PAIR
    assert locked[0].json()["code"] == "sign_in_locked"
    assert int(locked[0].headers["retry-after"]) > 60


async def test_a_locked_account_refuses_even_the_right_password(world: World) -> None:
    await world.agent()
    client = await world.client()
    for _ in range(PER_PAIR):
        body = {"email": "agent-main@example.com", "password": "wrong password"}
        await client.post("/api/v1/sessions", json=body)

    right = {"email": "agent-main@example.com", "password": PASSWORD}
    answer = await client.post("/api/v1/sessions", json=right)

    assert answer.status_code == 429


async def test_right_passwords_use_up_no_attempts(world: World) -> None:
    await world.agent()
    client = await world.client()

    right = {"email": "agent-main@example.com", "password": PASSWORD}
    answers = [await client.post("/api/v1/sessions", json=right) for _ in range(PER_PAIR + 2)]

    assert {answer.status_code for answer in answers} == {200}


async def test_refreshing_gives_new_tokens_and_a_used_one_ends_the_session(
    world: World,
) -> None:
    session = await signed_in(world)
    client = await world.client()

    second = await client.post("/api/v1/sessions/refresh", json={"refresh": session["refresh"]})
    again = await client.post("/api/v1/sessions/refresh", json={"refresh": session["refresh"]})
    newest = await client.post(
        "/api/v1/sessions/refresh", json={"refresh": second.json()["refresh"]}
    )
    me = await (await world.client(second.json()["access"])).get("/api/v1/agents/me")

    assert second.status_code == 200
    assert again.status_code == 401
    assert newest.status_code == 401
    assert me.status_code == 401


async def test_signing_out_ends_the_session_at_once(world: World) -> None:
    session = await signed_in(world)
    client = await world.client(session["access"])

    gone = await client.delete("/api/v1/sessions/current")

    assert gone.status_code == 204
    assert (await client.get("/api/v1/agents/me")).status_code == 401
    refresh = {"refresh": session["refresh"]}
    assert (await client.post("/api/v1/sessions/refresh", json=refresh)).status_code == 401


async def test_an_admin_locks_an_agent_out_at_once(world: World) -> None:
    session = await signed_in(world)
    admin = await world.client(await world.agent("admin"))
    agent = await world.client(session["access"])
    assert (await agent.get("/api/v1/agents/me")).status_code == 200
    principal = await world.hub.identity.authenticate(session["access"])

    gone = await admin.delete(f"/api/v1/users/{session['agent']['id']}")

    assert gone.status_code == 204
    assert (await agent.get("/api/v1/agents/me")).status_code == 401
    assert not await world.hub.identity.still_valid(principal)
    again = {"email": "agent-main@example.com", "password": PASSWORD}
    assert (await agent.post("/api/v1/sessions", json=again)).status_code == 401


async def test_an_admin_cannot_lock_themselves_out(world: World) -> None:
    admin = await world.client(await world.agent("admin"))
    me = (await admin.get("/api/v1/agents/me")).json()

    assert (await admin.delete(f"/api/v1/users/{me['id']}")).status_code == 409


async def test_a_new_role_or_password_ends_the_sessions(world: World) -> None:
    session = await signed_in(world)
    agent = await world.client(session["access"])

    await world.hub.identity.set_role("main", session["agent"]["id"], "supervisor")

    assert (await agent.get("/api/v1/agents/me")).status_code == 401
    client = await world.client()
    body = {"email": "agent-main@example.com", "password": PASSWORD}
    anew = (await client.post("/api/v1/sessions", json=body)).json()
    assert anew["agent"]["role"] == "supervisor"
    await world.hub.identity.set_password("main", body["email"], "another long password")
    assert (
        await (await world.client(anew["access"])).get("/api/v1/agents/me")
    ).status_code == 401
    assert (await client.post("/api/v1/sessions", json=body)).status_code == 401


async def test_an_agent_changes_their_status_and_nothing_else(world: World) -> None:
    client = await world.client((await signed_in(world))["access"])

    changed = await client.patch("/api/v1/agents/me", json={"status": "away"})
    refused = await client.patch("/api/v1/agents/me", json={"role": "admin"})

    assert changed.json()["status"] == "away"
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"path": "role", "code": "extra_forbidden", "text": "There is no such field."}
    ]


async def test_the_sign_in_page_learns_what_is_offered(world: World) -> None:
    answer = await (await world.client()).get("/api/v1/sign-in")

    assert answer.json() == {
        "password": True,
        "sso": [{"instance": "sso", "name": "Example ID"}],
    }
