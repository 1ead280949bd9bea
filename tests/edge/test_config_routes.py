"""hub.toml over REST: an admin sees its mistakes and its plan, and has it read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deskhub.clock import SystemClock
from deskhub.config import load
from deskhub.host.reload import Reload
from tests.edge.conftest import World

GOOD = '[inboxes.web]\nkey = "key-web"\n'


@pytest.fixture
async def admin(world: World, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """An admin of a hub with one tenant whose hub.toml is *tmp_path*'s."""
    path = tmp_path / "own.toml"
    path.write_text(GOOD)
    config = load(path)
    world.hub.config = config
    world.hub.reload = Reload(config, world.hub.host, world.hub.store, SystemClock())
    async with asyncio.TaskGroup() as group:
        host = group.create_task(world.hub.host.run())
        yield await world.client(await world.agent("admin"))
        host.cancel()


async def test_a_plan_says_what_reading_the_file_would_do(
    admin: httpx2.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(
        GOOD.replace("key-web", "key-new") + "[adapters.shop]\nenabled = false\n"
    )

    told = (await admin.get("/api/v1/config/plan")).json()

    assert [(one["kind"], one["where"]) for one in told["changes"]] == [
        ("add", "adapters.shop"), ("hub", "inboxes.web"),
    ]  # fmt: skip
    assert (await admin.get("/api/v1/config")).json()["done"] == []


async def test_reading_it_does_what_can_be_done_and_says_what_has_to_wait(
    admin: httpx2.AsyncClient, world: World, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(
        GOOD.replace("key-web", "key-new") + "[adapters.shop]\nenabled = false\n"
    )

    told = (await admin.post("/api/v1/config/reload")).json()

    assert [one["where"] for one in told["done"]] == ["adapters.shop"]
    assert [one["text"] for one in told["waiting"]] == [
        "inboxes.web holds after the next start of the hub: it changed."
    ]
    assert world.hub.host.instance("shop").state == "disabled"


async def test_a_mistake_is_shown_with_its_line(
    admin: httpx2.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(GOOD + "[adapters.shop]\nenabeld = false\n")

    told = (await admin.post("/api/v1/config/reload")).json()

    (problem,) = [one for one in told["problems"] if one["code"] == "DH103"]
    assert (problem["path"], problem["line"]) == ("adapters.shop.enabeld", 4)
    assert told["done"] == []


async def test_where_tenants_share_a_hub_the_file_is_its_operators(world: World) -> None:
    admin = await world.client(await world.agent("admin"))

    answer = await admin.get("/api/v1/config")

    assert (answer.status_code, answer.json()["code"]) == (409, "config_not_editable")
