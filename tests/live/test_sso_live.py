"""Single sign-on against providers nobody here wrote: oidc-provider and Canaille."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from aiohttp import web
from joserfc.jwk import KeySet

from deskhub.app import Application, build
from deskhub.clock import SystemClock
from deskhub.config import Config, HubSettings, Inbox, Instance
from deskhub.edge.app import build_app
from deskhub.services import run_all
from deskhub_sso.tokens import TokenInvalid, import_keys, verify_id_token
from tests.live.walk import form_of, walk
from tests.support.lab import peer

HUB = "http://127.0.0.1:8700"
BACK = f"{HUB}/auth/company/callback"
pytestmark = pytest.mark.lab


@asynccontextmanager
async def hub_for(
    issuer: str, client: dict[str, Any], folder: Path, **settings: Any
) -> AsyncIterator[Application]:
    """Run a hub whose agents sign in at *issuer*."""
    config = Config(
        path=folder / "hub.toml",
        hub=HubSettings(store="sqlite:///hub.db"),
        inboxes={"web": Inbox(id="web", key="web")},
        roles={"support": "agent", "support-leads": "supervisor"},
        adapters={
            "company": Instance(
                id="company", use="sso", secret_keys=frozenset({"client_secret"}),
                config={
                    "issuer": issuer, "client_id": client["client_id"],
                    "client_secret": client["client_secret"], **settings,
                },
            )
        },
    )  # fmt: skip
    made = await build(config, SystemClock())
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_all(made.services, stop))
        assert await made.adapters_ready(20), made.hub.host.instance("company").words
        yield made
        stop.set()
    await made.hub.store.close()


async def register(address: str, **more: Any) -> dict[str, Any]:
    """Register a client as a provider's own documentation says (RFC 7591)."""
    wanted = {
        "client_name": "Deskhub", "redirect_uris": [BACK],
        "response_types": ["code"], "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic", **more,
    }  # fmt: skip
    async with httpx2.AsyncClient() as http:
        answer = await http.post(address, json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def desk(application: Application) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=build_app(application.hub)), base_url=HUB
    )


async def sign_in(
    agent: httpx2.AsyncClient, outside: httpx2.AsyncClient, **fill: str
) -> httpx2.Response:
    """Walk from the desk through the provider and back; return the callback's answer."""
    start = await agent.get("/auth/company/start")
    for _ in range(3):
        # Where the machine is busy the provider may be late; people press again.
        if start.status_code != 302:
            await asyncio.sleep(2)
            start = await agent.get("/auth/company/start")
    assert start.status_code == 302, start.text
    back = await walk(outside, start.headers["location"], until=BACK, fill=fill)
    return await agent.get(back.removeprefix(HUB))


async def session_of(agent: httpx2.AsyncClient, done: httpx2.Response) -> dict[str, Any]:
    assert done.status_code == 302, done.text
    code = done.headers["location"].removeprefix("/console/#sso=")
    answer = await agent.post("/api/v1/sessions/exchange", json={"code": code})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def who(agent: httpx2.AsyncClient, access: str) -> int:
    headers = {"authorization": f"Bearer {access}"}
    return (await agent.get("/api/v1/agents/me", headers=headers)).status_code


async def test_oidc_provider_signs_in_with_tenant_and_role_and_notices_new_keys(
    tmp_path: Path,
) -> None:
    async with peer("oidc") as told:
        client = await register(told["registration"])
        settings = {"tenants": {"acme": "main"}}
        async with hub_for(told["issuer"], client, tmp_path, **settings) as application:
            async with desk(application) as agent, httpx2.AsyncClient() as outside:
                first = await session_of(
                    agent, await sign_in(agent, outside, login="bob", password="x")
                )
            async with httpx2.AsyncClient() as http:
                rotated = await http.post(f"{told['issuer']}/_lab/rotate")
            async with desk(application) as agent, httpx2.AsyncClient() as outside:
                second = await session_of(
                    agent, await sign_in(agent, outside, login="bob", password="x")
                )
            async with desk(application) as agent, httpx2.AsyncClient() as outside:
                refused = await sign_in(agent, outside, login="eve", password="x")

    assert (first["agent"]["name"], first["agent"]["role"]) == ("Bob Lee", "supervisor")
    assert rotated.status_code == 204
    assert second["agent"]["id"] == first["agent"]["id"]
    # Another company's account is nobody here.
    assert refused.status_code == 401


async def test_signing_out_at_oidc_provider_ends_the_session_at_the_desk(
    tmp_path: Path,
) -> None:
    announced: asyncio.Queue[bytes] = asyncio.Queue(4)

    async def take(request: web.Request) -> web.Response:
        announced.put_nowait(await request.read())
        return web.Response()

    ear = web.Application()
    ear.router.add_post("/signed-out", take)
    runner = web.AppRunner(ear)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    heard_at = f"http://127.0.0.1:{runner.addresses[0][1]}/signed-out"
    try:
        async with peer("oidc") as told:
            client = await register(
                told["registration"], backchannel_logout_uri=heard_at,
                backchannel_logout_session_required=True,
            )  # fmt: skip
            async with hub_for(
                told["issuer"], client, tmp_path, tenants={"acme": "main"}
            ) as application:
                async with desk(application) as agent, httpx2.AsyncClient() as outside:
                    session = await session_of(
                        agent, await sign_in(agent, outside, login="ann", password="x")
                    )
                    before = await who(agent, session["access"])
                    await _leave(outside, told["issuer"], client["client_id"])
                    async with asyncio.timeout(10):
                        body = await announced.get()
                    first = await _tell(agent, body)
                    after = await who(agent, session["access"])
                    again = await _tell(agent, body)
                    forged = await _tell(agent, body[:-8] + b"AAAAAAAA")
    finally:
        await runner.cleanup()

    assert before == 200
    assert first == 200
    assert after == 401
    # The same announcement counts once, and a changed one never.
    assert (again, forged) == (400, 400)


async def _leave(outside: httpx2.AsyncClient, issuer: str, client: str) -> None:
    page = await outside.get(f"{issuer}/session/end?{urlencode({'client_id': client})}")
    action, fields = form_of(page.text)
    done = await outside.post(action, data={**fields, "logout": "yes"})
    assert done.status_code in (200, 302, 303), done.text


async def _tell(agent: httpx2.AsyncClient, body: bytes) -> int:
    answer = await agent.post(
        "/auth/company/signed-out", content=body,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    return answer.status_code


async def test_canaille_signs_in_with_the_role_of_a_group(tmp_path: Path) -> None:
    async with peer("iam") as told:
        client = await register(
            told["registration"], scope="openid profile email groups", client_uri=HUB
        )
        settings = {"scopes": ["openid", "profile", "email", "groups"]}
        async with httpx2.AsyncClient() as http:
            signed = await http.post(
                told["issuer"] + "/_lab/sign-in", content=json.dumps({"user": "bob"})
            )
        assert signed.status_code == 204
        async with hub_for(told["issuer"], client, tmp_path, **settings) as application:
            async with desk(application) as agent, httpx2.AsyncClient() as outside:
                session = await session_of(
                    agent, await sign_in(agent, outside, answer="accept")
                )

    assert (session["agent"]["name"], session["agent"]["role"]) == ("Bob Lee", "supervisor")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
async def test_a_real_providers_public_keys_make_nobody_somebody(algorithm: str) -> None:
    """Canaille offers "none" in its discovery; neither that nor an HMAC over its key holds."""
    async with peer("iam") as told, httpx2.AsyncClient() as http:
        keys = (await http.get(told["issuer"] + "/oauth/jwks.json")).json()
    now = SystemClock().now()
    moment = int(now.timestamp())
    header = {"alg": algorithm, "kid": keys["keys"][0]["kid"]}
    claims = {
        "iss": told["issuer"], "aud": "deskhub", "sub": "ann", "nonce": "n", "iat": moment,
        "exp": moment + 300,
    }  # fmt: skip
    text = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
    public = KeySet.import_key_set(keys).keys[0].as_pem(private=False)
    mac = (
        b"" if algorithm == "none" else hmac.new(public, text.encode(), hashlib.sha256).digest()
    )

    with pytest.raises(TokenInvalid) as refused:
        verify_id_token(
            f"{text}.{_b64(mac)}", import_keys(keys), issuer=told["issuer"],
            client_id="deskhub", nonce="n", now=now,
        )  # fmt: skip

    assert refused.value.reason == ("signature" if algorithm == "RS256" else "algorithm")


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
