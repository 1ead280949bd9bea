"""Back-channel logout: a provider's announcement ends sessions here, once, and only if it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from deskhub.identity.sso import Departed
from tests.edge.conftest import World
from tests.edge.test_sso import FANG, sign_in

GOOD = Departed(FANG.issuer, FANG.subject, None, "t-1")


async def told(world: World, body: bytes = b"logout_token=good") -> httpx2.Response:
    provider = await world.client()
    return await provider.post(
        "/auth/sso/signed-out", content=body,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip


async def status(world: World, session: dict[str, Any]) -> int:
    agent = await world.client(session["access"])
    return (await agent.get("/api/v1/agents/me")).status_code


async def test_an_announcement_ends_the_sessions_of_its_account(world: World) -> None:
    world.providers.account = FANG
    session = await sign_in(world)
    world.providers.departed = GOOD
    before = await status(world, session)

    answer = await told(world)

    assert before == 200
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert await status(world, session) == 401


async def test_an_announcement_of_a_session_alone_finds_its_agent(world: World) -> None:
    world.providers.account = replace(FANG, session="sid-1")
    session = await sign_in(world)
    again = await sign_in(world)
    world.providers.departed = Departed(FANG.issuer, None, "sid-1", "t-2")

    answer = await told(world)

    assert answer.status_code == 200
    assert await status(world, session) == 401
    assert await status(world, again) == 401


async def test_an_announcement_of_somebody_else_ends_nobodys_session(world: World) -> None:
    world.providers.account = replace(FANG, session="sid-1")
    session = await sign_in(world)
    world.providers.departed = Departed(FANG.issuer, "u-2", "sid-2", "t-3")

    answer = await told(world)

    assert answer.status_code == 200
    assert await status(world, session) == 200


async def test_the_same_subject_of_another_provider_is_another_person(world: World) -> None:
    world.providers.account = replace(FANG, session="sid-1")
    session = await sign_in(world)
    world.providers.departed = Departed("https://other.example", FANG.subject, "sid-1", "t-4")

    await told(world)

    assert await status(world, session) == 200


async def test_a_repeated_announcement_does_not_end_a_later_session(world: World) -> None:
    world.providers.account = FANG
    world.providers.departed = GOOD
    await sign_in(world)
    assert (await told(world)).status_code == 200
    later = await sign_in(world)

    repeated = [(await told(world)).status_code for _ in range(3)]

    assert repeated == [400, 400, 400]
    assert await status(world, later) == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"logout_token=bad", 400), (b"", 400), (b"\xff\xfe", 400), (b"x" * 70_000, 413)],
)
async def test_what_does_not_hold_ends_nothing(world: World, body: bytes, code: int) -> None:
    world.providers.account = FANG
    world.providers.departed = GOOD
    session = await sign_in(world)

    answer = await told(world, body)

    assert answer.status_code == code
    assert await status(world, session) == 200
