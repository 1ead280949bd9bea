"""Single sign-on end to end: the real adapter, a real provider process, the real hub."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deskhub.app import Application, build
from deskhub.clock import SystemClock
from deskhub.config import Config, HubSettings, Inbox, Instance
from deskhub.edge.app import build_app
from deskhub.services import run_all

HUB = "http://127.0.0.1:8700"


@pytest.fixture
async def provider() -> AsyncIterator[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deskhub_sso.simulator", "--port", "0",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            yield json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.communicate()


@pytest.fixture
async def application(provider: dict[str, str], tmp_path: Path) -> AsyncIterator[Application]:
    config = Config(
        path=tmp_path / "hub.toml",
        hub=HubSettings(store="sqlite:///hub.db"),
        inboxes={"web": Inbox(id="web", key="web")},
        roles={"support": "agent", "support-leads": "supervisor"},
        adapters={
            "sso": Instance(
                id="sso", use="sso", secret_keys=frozenset({"client_secret"}),
                config={
                    "issuer": provider["url"], "client_id": "deskhub",
                    "client_secret": "demo-client-secret",
                },
            )
        },
    )  # fmt: skip
    made = await build(config, SystemClock())
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_all(made.services, stop))
        assert await made.adapters_ready(20), made.hub.host.instance("sso").words
        yield made
        stop.set()
    await made.hub.store.close()


async def through_the_provider(
    application: Application, provider: dict[str, str], person: str
) -> tuple[httpx2.AsyncClient, httpx2.Response]:
    """Walk a browser through the whole flow; return it with the callback's answer."""
    browser = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=build_app(application.hub)), base_url=HUB
    )
    start = await browser.get("/auth/sso/start")
    assert start.status_code == 302, start.text
    async with httpx2.AsyncClient() as outside:
        await outside.post(f"{provider['admin']}auto", json={"person": person})
        back = await outside.get(start.headers["location"])
    assert back.status_code in (302, 303), back.text
    assert back.headers["location"].startswith(f"{HUB}/auth/sso/callback?")
    return browser, await browser.get(back.headers["location"].removeprefix(HUB))


async def test_a_team_lead_signs_in_as_supervisor(
    application: Application, provider: dict[str, str]
) -> None:
    browser, done = await through_the_provider(application, provider, "u-1003")
    assert done.status_code == 302, done.text

    code = done.headers["location"].removeprefix("/console/#sso=")
    session = await browser.post("/api/v1/sessions/exchange", json={"code": code})

    agent = session.json()["agent"]
    assert (agent["name"], agent["role"]) == ("Zhou Min", "supervisor")
    await browser.aclose()


async def test_an_admin_without_a_mapped_group_is_told_so(
    application: Application, provider: dict[str, str]
) -> None:
    browser, done = await through_the_provider(application, provider, "u-1004")

    assert done.status_code == 403
    assert "DH702" in done.text
    await browser.aclose()


async def test_a_provider_that_fails_is_a_page_not_a_fault(
    application: Application, provider: dict[str, str]
) -> None:
    async with httpx2.AsyncClient() as outside:
        fault = {"match": "/token", "kind": "500", "times": 20}
        planted = await outside.post(f"{provider['admin']}faults", json=fault)
        assert planted.status_code == 201

    browser, done = await through_the_provider(application, provider, "u-1003")

    assert done.status_code == 401
    assert "DH701" in done.text
    await browser.aclose()
