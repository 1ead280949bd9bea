"""The whole way of a sign-in against a real provider on loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr

from deskhub_sdk import (
    AuthRequired,
    Forged,
    Rejected,
    SignInRequest,
    SignInResult,
    Unavailable,
)
from deskhub_sdk.testing import given_context
from deskhub_sso import Sso, SsoConfig
from deskhub_sso.simulator import SsoSimulator
from deskhub_sso.tokens import UnknownKey

SECRET = "a-test-secret"
CALLBACK = "http://127.0.0.1:8700/auth/sso/callback"
REQUEST = SignInRequest(
    redirect_uri=CALLBACK, state="state-1", nonce="nonce-1", code_verifier="v" * 64
)


@dataclass
class Desk:
    """An adapter, the provider it talks to, and a browser without cookies."""

    adapter: Sso
    provider: SsoSimulator
    browser: aiohttp.ClientSession

    async def control(self, verb: str, body: dict[str, Any] | None = None) -> Any:
        async with self.browser.post(
            f"{self.provider.url}/_sim/{verb}", json=body or {}
        ) as said:
            return await said.json()

    async def visit(self, person: str | None = None, **changes: str) -> dict[str, str]:
        """Go to the provider as *person* and return what the callback would get."""
        await self.control("auto", {"person": person})
        url = await self.adapter.sign_in_start(REQUEST)
        for name, value in changes.items():
            url = re.sub(rf"(?<=[?&]){name}=[^&]*", f"{name}={value}", url)
        async with self.browser.get(url, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
            return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    async def sign_in(self, person: str) -> SignInResult:
        return await self.adapter.sign_in_finish(REQUEST, await self.visit(person))


@asynccontextmanager
async def desk(**settings: Any) -> AsyncIterator[Desk]:
    async with (
        SsoSimulator(client_secret=SECRET).serving() as provider,
        given_context(instance="sso") as ctx,
        aiohttp.ClientSession() as browser,
    ):
        defaults = {"issuer": provider.url, "client_id": "deskhub", "client_secret": SECRET}
        adapter = Sso(SsoConfig.model_validate({**defaults, **settings}))
        await adapter.start(ctx)
        try:
            yield Desk(adapter, provider, browser)
        finally:
            await adapter.stop()


async def test_an_agent_signs_in_with_name_groups_and_tenant() -> None:
    async with desk() as here:
        found = await here.sign_in("zhou.min@scree.example")

    assert found == SignInResult(
        issuer=here.provider.url, subject="u-1003", email="zhou.min@scree.example",
        email_verified=True, name="Zhou Min", tenant="main",
        groups=("support", "support-leads"),
    )  # fmt: skip


async def test_the_browser_is_sent_with_pkce_state_and_nonce_but_without_the_verifier() -> None:
    async with desk() as here:
        url = await here.adapter.sign_in_start(REQUEST)

    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["state"] == ["state-1"]
    assert query["nonce"] == ["nonce-1"]
    assert query["redirect_uri"] == [CALLBACK]
    assert query["scope"] == ["openid profile email"]
    assert REQUEST.code_verifier not in url
    assert SECRET not in url


async def test_the_secret_may_travel_in_the_body() -> None:
    async with desk(client_auth="client_secret_post") as here:
        assert (await here.sign_in("u-1001")).name == "Li Wei"


async def test_the_sign_in_page_lists_people_and_needs_no_script() -> None:
    async with desk() as here:
        url = await here.adapter.sign_in_start(REQUEST)
        async with here.browser.get(url) as answer:
            page = await answer.text()
        request_id = re.search(r'name="request" value="([^"]+)"', page)
        assert request_id is not None
        async with here.browser.post(
            f"{here.provider.url}/sign-in",
            data={"request": request_id[1], "person": "u-1002"}, allow_redirects=False,
        ) as chosen:  # fmt: skip
            back = dict(parse_qsl(urlsplit(chosen.headers["Location"]).query))
        found = await here.adapter.sign_in_finish(REQUEST, back)

    assert [name in page for name in ("Li Wei", "Sara Lind", "Zhou Min", "Ada Admin")] == [
        True
    ] * 4
    assert "<script" not in page
    assert "autofocus" in page
    assert found.subject == "u-1002"


async def test_the_page_speaks_chinese_to_those_who_ask() -> None:
    async with desk() as here:
        url = await here.adapter.sign_in_start(REQUEST)
        async with here.browser.get(url, headers={"Accept-Language": "zh-CN"}) as answer:
            page = await answer.text()

    assert "选择一个账号" in page
    assert "李伟" in page


async def test_a_hint_chooses_the_person() -> None:
    async with desk() as here:
        url = await here.adapter.sign_in_start(REQUEST)
        async with here.browser.get(
            f"{url}&login_hint=ada@scree.example", allow_redirects=False
        ) as answer:
            back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        found = await here.adapter.sign_in_finish(REQUEST, back)

    assert found.groups == ("support-admins",)


async def test_cancelling_at_the_provider_is_a_refusal_in_words() -> None:
    async with desk() as here:
        with pytest.raises(Rejected, match="did not let"):
            await here.adapter.sign_in_finish(
                REQUEST,
                {"state": "state-1", "iss": here.provider.url, "error": "access_denied"},
            )


async def test_a_code_works_once() -> None:
    async with desk() as here:
        back = await here.visit("u-1001")
        await here.adapter.sign_in_finish(REQUEST, back)
        with pytest.raises(Rejected):
            await here.adapter.sign_in_finish(REQUEST, back)


async def test_a_code_needs_its_own_verifier() -> None:
    async with desk() as here:
        back = await here.visit("u-1001")
        stolen = SignInRequest(
            redirect_uri=CALLBACK, state="state-1", nonce="nonce-1", code_verifier="w" * 64
        )
        with pytest.raises(Rejected):
            await here.adapter.sign_in_finish(stolen, back)


async def test_a_token_for_another_sign_in_is_refused() -> None:
    async with desk() as here:
        back = await here.visit("u-1001", nonce="nonce-2")
        with pytest.raises(Forged, match="another sign-in"):
            await here.adapter.sign_in_finish(REQUEST, back)


@pytest.mark.parametrize("state", ["", "state-2", "state-1 "])
async def test_a_callback_with_another_state_is_refused_before_the_code_is_sent(
    state: str,
) -> None:
    async with desk() as here:
        back = await here.visit("u-1001")
        with pytest.raises(Forged):
            await here.adapter.sign_in_finish(REQUEST, {**back, "state": state})

    assert "tokens_issued" not in here.provider.effects


@pytest.mark.parametrize("issuer", [None, "https://evil.example"])
async def test_a_callback_must_say_that_this_provider_sent_it(issuer: str | None) -> None:
    async with desk() as here:
        back = await here.visit("u-1001")
        del back["iss"]
        with pytest.raises(Forged):
            await here.adapter.sign_in_finish(
                REQUEST, back | ({"iss": issuer} if issuer else {})
            )


async def test_new_keys_are_noticed_without_a_restart() -> None:
    async with desk() as here:
        await here.sign_in("u-1001")
        await here.control("rotate")
        found = await here.sign_in("u-1001")
        await here.sign_in("u-1001")

    assert found.subject == "u-1001"
    assert here.provider.effects["keys_read"].total() == 2


async def test_keys_are_asked_for_anew_only_once_for_a_token_nobody_signed() -> None:
    async with desk() as here:
        await here.sign_in("u-1001")
        await here.control("rotate", {"publish": False})
        back = await here.visit("u-1001")
        with pytest.raises(UnknownKey):
            await here.adapter.sign_in_finish(REQUEST, back)

    assert here.provider.effects["keys_read"].total() == 2


async def test_a_wrong_secret_names_who_has_to_act() -> None:
    async with desk(client_secret="old-secret") as here:
        back = await here.visit("u-1001")
        with pytest.raises(AuthRequired) as refused:
            await here.adapter.sign_in_finish(REQUEST, back)

    assert "old-secret" not in str(refused.value)


@pytest.mark.parametrize("kind", ["500", "timeout_before"])
async def test_a_provider_that_fails_is_unavailable_and_the_next_sign_in_works(
    kind: str,
) -> None:
    async with desk() as here:
        back = await here.visit("u-1001")
        await here.control("faults", {"match": "POST /token", "kind": kind})
        with pytest.raises(Unavailable):
            await here.adapter.sign_in_finish(REQUEST, back)

        assert (await here.sign_in("u-1001")).subject == "u-1001"


async def test_a_provider_that_is_down_at_start_is_found_when_it_comes_up() -> None:
    async with desk() as here:
        await here.control("faults", {"match": "/.well-known/*", "kind": "500", "times": 2})
        assert (await here.adapter.check_connection()).ok is False
        with pytest.raises(Unavailable):
            await here.adapter.sign_in_start(REQUEST)

        assert (await here.adapter.check_connection()).ok is True
        assert (await here.sign_in("u-1001")).subject == "u-1001"


async def test_twenty_sign_ins_at_once_read_discovery_and_keys_once() -> None:
    async with desk() as here:
        backs = [await here.visit("u-1001") for _ in range(20)]
        async with asyncio.TaskGroup() as group:
            found = [
                group.create_task(here.adapter.sign_in_finish(REQUEST, back)) for back in backs
            ]

    assert {one.result().subject for one in found} == {"u-1001"}
    assert here.provider.effects["keys_read"].total() == 1
    asked = [one["path"] for one in here.provider.requests]
    assert asked.count("/.well-known/openid-configuration") == 1


async def test_diagnostics_hold_keys_but_no_secret_and_no_person() -> None:
    async with desk() as here:
        await here.sign_in("u-1001")
        told = str(await here.adapter.diagnostics())

    assert "sim-" in told
    assert SECRET not in told
    assert "scree.example" not in told


async def test_settings_keep_the_secret_secret() -> None:
    config = SsoConfig(
        issuer="https://login.example.com", client_id="d", client_secret=SecretStr(SECRET)
    )

    assert SECRET not in f"{config!r} {config.model_dump()}"
