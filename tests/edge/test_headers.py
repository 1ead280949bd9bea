"""What browsers are told: security headers, CORS, caching."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from deskhub.edge import static
from deskhub.edge.headers import console_policy
from tests.edge.conftest import SHOP, World


async def test_the_console_runs_built_scripts_only(world: World) -> None:
    answer = await (await world.client()).get("/console/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "require-trusted-types-for 'script'; trusted-types deskhub" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in answer.headers


def test_the_console_connects_to_its_own_sockets() -> None:
    assert "connect-src 'self' wss://chat.acme.com;" in console_policy("https://chat.acme.com")


async def test_the_api_is_never_cached_or_framed(world: World) -> None:
    answer = await (await world.client()).get("/api/v1/sign-in")

    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_shops_page_may_call_what_the_widget_needs(world: World) -> None:
    client = await world.client(origin=SHOP)

    asked = await client.options(
        "/api/v1/visitors",
        headers={"access-control-request-method": "POST"},
    )
    answer = await client.post("/api/v1/visitors", json={"inbox": "key-web"})

    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert "Idempotency-Key" in asked.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "origin" in answer.headers["vary"].lower()
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "path"),
    [
        ("https://evil.example", "/api/v1/visitors"),
        ("https://shop.example.evil.example", "/api/v1/visitors"),
        ("http://shop.example", "/api/v1/visitors"),
        ("null", "/api/v1/visitors"),
        (SHOP, "/api/v1/sessions"),
        (SHOP, "/api/v1/agents"),
        (SHOP, "/api/v1/sessions/refresh"),
    ],
)
async def test_nobody_else_gets_cors(world: World, origin: str, path: str) -> None:
    client = await world.client(origin=origin)

    asked = await client.options(path, headers={"access-control-request-method": "POST"})
    answer = await client.post(path, json={"inbox": "key-web"})

    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.fixture
def assets(tmp_path: Path) -> httpx2.AsyncClient:
    (tmp_path / "console" / "assets").mkdir(parents=True)
    (tmp_path / "w").mkdir()
    (tmp_path / "console" / "index.html").write_text("<!doctype html><title>Console</title>")
    (tmp_path / "console" / "assets" / "console-ABCD1234.js").write_text("let a = 1;" * 500)
    (tmp_path / "w" / "loader.js").write_text("let b;")
    (tmp_path.parent / "secret.js").write_text("let key;")
    (tmp_path / "w" / "link.js").symlink_to(tmp_path.parent / "secret.js")
    app = Starlette(routes=static.routes(static.Files(tmp_path)))
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1"
    )


async def test_hashed_assets_are_kept_for_good_and_pages_are_asked_for(
    assets: httpx2.AsyncClient,
) -> None:
    async with assets:
        script = await assets.get("/console/assets/console-ABCD1234.js")
        page = await assets.get("/console/conversations/c_1")
        again = await assets.get("/console/", headers={"if-none-match": page.headers["etag"]})

    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert script.text == "let a = 1;" * 500
    assert page.text.startswith("<!doctype html><title>Console")
    assert page.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


async def test_the_loader_is_utf8_and_checked_again_soon(assets: httpx2.AsyncClient) -> None:
    async with assets:
        loader = await assets.get("/w/v1/loader.js")

    assert loader.headers["content-type"] == "text/javascript; charset=utf-8"
    assert loader.headers["cache-control"] == "public, max-age=300, must-revalidate"


@pytest.mark.parametrize(
    "path",
    [
        "/w/v1/../console/index.html", "/w/v1/%2e%2e/%2e%2e/secret.js", "/w/v1/link.js",
        "/console/../../secret.js", "/w/v1/%00.js", "/w/v1/", "/w/v1/loader.py",
    ],
)  # fmt: skip
async def test_only_files_below_the_folder_are_served(
    assets: httpx2.AsyncClient, path: str
) -> None:
    async with assets:
        transport = assets._transport
        transport.raise_app_exceptions = False
        answer = await assets.get(path)

    assert "let key" not in answer.text
    assert answer.status_code != 200 or "Console" in answer.text


async def test_a_hub_without_built_assets_says_what_to_do(tmp_path: Path) -> None:
    app = Starlette(routes=static.routes(static.Files(tmp_path)))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/console/")

    assert answer.status_code == 503
    assert "make web" in answer.text
