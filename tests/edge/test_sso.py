"""Single sign-on by an adapter's hooks: bound to the browser, single use, by (iss, sub)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from deskhub.identity.records import Account
from tests.edge.conftest import PASSWORD, World

FANG = Account(
    issuer="https://id.example", subject="u-1", email="fang@example.com", email_verified=True,
    name="Wang Fang", groups=("staff", "support"),
)  # fmt: skip


async def begin(world: World) -> tuple[httpx2.AsyncClient, str]:
    """Start in a browser; return it with the state that the provider brings back."""
    browser = await world.client()
    answer = await browser.get("/auth/sso/start")
    assert answer.status_code == 302
    state = parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]
    return browser, state


async def finish(
    world: World, browser: httpx2.AsyncClient, state: str, code: str = "good"
) -> httpx2.Response:
    return await browser.get("/auth/sso/callback", params={"state": state, "code": code})


async def sign_in(world: World) -> dict:
    browser, state = await begin(world)
    answer = await finish(world, browser, state)
    assert answer.status_code == 302, answer.text
    one_time = answer.headers["location"].removeprefix("/console/#sso=")
    session = await browser.post("/api/v1/sessions/exchange", json={"code": one_time})
    assert session.status_code == 200
    return session.json()


async def test_a_person_signs_in_and_has_the_role_of_their_group(world: World) -> None:
    world.providers.account = FANG

    session = await sign_in(world)

    assert session["agent"]["role"] == "agent"
    assert session["agent"]["email"] == "fang@example.com"
    me = await (await world.client(session["access"])).get("/api/v1/agents/me")
    assert me.json()["name"] == "Wang Fang"
    attempt = world.providers.seen[-1]
    assert attempt.redirect_uri == "http://127.0.0.1:8700/auth/sso/callback"
    assert len({attempt.state, attempt.nonce, attempt.verifier}) == 3
    assert 43 <= len(attempt.verifier) <= 128


async def test_the_cookie_is_out_of_reach_and_short_lived(world: World) -> None:
    browser = await world.client()

    cookie = (await browser.get("/auth/sso/start")).headers["set-cookie"]

    assert cookie.startswith("dh-sso=")
    for part in ("HttpOnly", "Max-Age=600", "Path=/", "SameSite=lax"):
        assert part in cookie


async def test_the_second_sign_in_is_the_same_agent(world: World) -> None:
    world.providers.account = FANG

    first, second = await sign_in(world), await sign_in(world)

    assert first["agent"]["id"] == second["agent"]["id"]


async def test_the_answer_works_only_in_the_browser_that_asked(world: World) -> None:
    world.providers.account = FANG
    _, state = await begin(world)

    answer = await finish(world, await world.client(), state)

    assert answer.status_code == 401
    assert "DH701" in answer.text


async def test_a_state_comes_back_once(world: World) -> None:
    world.providers.account = FANG
    browser, state = await begin(world)
    cookie = dict(browser.cookies)
    assert (await finish(world, browser, state)).status_code == 302

    browser.cookies.update(cookie)
    assert (await finish(world, browser, state)).status_code == 401


@pytest.mark.parametrize("state", ["", "guessed", "x" * 9000])
async def test_an_unknown_state_is_refused(world: World, state: str) -> None:
    world.providers.account = FANG
    browser, _ = await begin(world)

    assert (await finish(world, browser, state)).status_code == 401


async def test_a_one_time_code_is_good_once(world: World) -> None:
    world.providers.account = FANG
    browser, state = await begin(world)
    location = (await finish(world, browser, state)).headers["location"]
    body = {"code": location.removeprefix("/console/#sso=")}

    first = await browser.post("/api/v1/sessions/exchange", json=body)
    second = await browser.post("/api/v1/sessions/exchange", json=body)

    assert (first.status_code, second.status_code) == (200, 401)


async def test_somebody_without_a_mapped_group_learns_what_to_ask_for(world: World) -> None:
    world.providers.account = Account("https://id.example", "u-9", groups=("visitors",))
    browser, state = await begin(world)

    answer = await finish(world, browser, state)

    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert "DH702" in answer.text
    assert "[auth.roles]" in answer.text


async def test_a_group_that_was_taken_away_ends_access(world: World) -> None:
    world.providers.account = FANG
    await sign_in(world)
    world.providers.account = Account(FANG.issuer, FANG.subject, groups=())
    browser, state = await begin(world)

    assert (await finish(world, browser, state)).status_code == 403


async def test_another_group_changes_the_role_and_ends_older_sessions(world: World) -> None:
    world.providers.account = FANG
    before = await sign_in(world)
    world.providers.account = Account(FANG.issuer, FANG.subject, groups=("support", "leads"))

    after = await sign_in(world)

    assert after["agent"]["id"] == before["agent"]["id"]
    assert after["agent"]["role"] == "supervisor"
    old = await (await world.client(before["access"])).get("/api/v1/agents/me")
    assert old.status_code == 401


async def test_a_verified_email_links_to_the_agent_who_has_it(world: World) -> None:
    agent = await world.hub.identity.add_agent(
        tenant="main", email="fang@example.com", name="Fang", role="agent", password=PASSWORD
    )
    world.providers.account = FANG

    session = await sign_in(world)

    assert session["agent"]["id"] == agent.id


async def test_an_unverified_email_links_to_nobody(world: World) -> None:
    await world.hub.identity.add_agent(
        tenant="main", email="fang@example.com", name="Fang", role="admin", password=PASSWORD
    )
    world.providers.account = Account(
        "https://id.example", "evil", email="fang@example.com", groups=("boss",)
    )
    browser, state = await begin(world)

    assert (await finish(world, browser, state)).status_code == 401


async def test_an_unverified_email_cannot_wait_for_its_owner(world: World) -> None:
    world.providers.account = Account(
        "https://id.example", "evil", email="fang@example.com", groups=("support",)
    )
    evil = await sign_in(world)
    world.providers.account = FANG

    fang = await sign_in(world)

    assert evil["agent"]["email"] != "fang@example.com"
    assert fang["agent"]["id"] != evil["agent"]["id"]


async def test_an_address_given_to_a_new_person_does_not_hand_the_agent_over(
    world: World,
) -> None:
    world.providers.account = FANG
    await sign_in(world)
    world.providers.account = Account(
        FANG.issuer, "u-2", email=FANG.email, email_verified=True, groups=("support",)
    )
    browser, state = await begin(world)

    assert (await finish(world, browser, state)).status_code == 409


async def test_the_tenant_of_the_claim_must_be_known(world: World) -> None:
    world.providers.account = Account(
        "https://id.example", "u-3", tenant="unheard-of", groups=("support",)
    )
    browser, state = await begin(world)
    assert (await finish(world, browser, state)).status_code == 401

    world.providers.account = Account(
        "https://id.example", "u-3", tenant="rival", groups=("support",)
    )
    session = await sign_in(world)
    principal = await world.hub.identity.authenticate(session["access"])
    assert principal.tenant == "rival"


async def test_a_deactivated_agent_does_not_come_back_through_the_provider(
    world: World,
) -> None:
    world.providers.account = FANG
    session = await sign_in(world)
    await world.hub.identity.deactivate("main", session["agent"]["id"])
    browser, state = await begin(world)

    assert (await finish(world, browser, state)).status_code == 401


async def test_an_instance_that_signs_nobody_in_is_a_page_not_a_fault(world: World) -> None:
    answer = await (await world.client()).get("/auth/orders/start")

    assert answer.status_code == 401
    assert "DH701" in answer.text


async def test_a_start_on_another_host_name_moves_to_the_public_one(world: World) -> None:
    browser = await world.client(host="localhost:8700")

    answer = await browser.get("/auth/sso/start")

    assert answer.status_code == 302
    assert answer.headers["location"] == "http://127.0.0.1:8700/auth/sso/start?at=home"
