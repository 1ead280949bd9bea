"""Saved views: kept under a name, private until shared, removed by who may."""

from __future__ import annotations

import pytest

from tests.edge.conftest import World

URGENT = {"name": "Urgent", "address": "queue?f=waiting&tag=vip"}


async def names(client) -> list[str]:
    return [view["name"] for view in (await client.get("/api/v1/views")).json()["views"]]


async def test_a_view_is_kept_for_oneself_until_it_is_shared(world: World) -> None:
    mine = await world.client(await world.agent("agent"))
    other = await world.client(await world.agent("supervisor"))

    kept = await mine.post("/api/v1/views", json=URGENT)
    await mine.post("/api/v1/views", json={**URGENT, "name": "Ours", "shared": True})

    assert kept.status_code == 201
    assert kept.json() | {"id": ""} == {
        **URGENT, "id": "", "shared": False, "mine": True, "removable": True,
    }  # fmt: skip
    assert await names(mine) == ["Ours", "Urgent"]
    assert await names(other) == ["Ours"]


async def test_the_same_name_replaces_the_view(world: World) -> None:
    mine = await world.client(await world.agent("agent"))

    await mine.post("/api/v1/views", json=URGENT)
    await mine.post("/api/v1/views", json={**URGENT, "address": "closed"})

    views = (await mine.get("/api/v1/views")).json()["views"]
    assert [(view["name"], view["address"]) for view in views] == [("Urgent", "closed")]


async def test_a_shared_view_is_removed_by_its_owner_or_an_admin(world: World) -> None:
    mine = await world.client(await world.agent("agent"))
    other = await world.client(await world.agent("supervisor"))
    admin = await world.client(await world.agent("admin"))
    private = (await mine.post("/api/v1/views", json=URGENT)).json()["id"]
    shared = (
        await mine.post("/api/v1/views", json={**URGENT, "name": "S", "shared": True})
    ).json()

    answers = [
        (await client.delete(f"/api/v1/views/{view}")).status_code
        for client, view in (
            (other, private), (other, shared["id"]), (admin, private), (admin, shared["id"]),
            (mine, private), (mine, private),
        )
    ]  # fmt: skip

    assert answers == [404, 403, 404, 204, 204, 404]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "address": "mine"},
        {"name": "x", "address": "../../adapters"},
        {"name": "x", "address": "mine?q=<script>"},
        {"name": "x" * 61, "address": "mine"},
        {"name": "x", "address": "mine", "owner": "a_2"},
    ],
)
async def test_what_is_no_view_is_refused(world: World, body: dict) -> None:
    mine = await world.client(await world.agent("agent"))

    assert (await mine.post("/api/v1/views", json=body)).status_code == 422


async def test_nobody_keeps_more_than_fifty(world: World) -> None:
    mine = await world.client(await world.agent("agent"))
    for number in range(50):
        await mine.post("/api/v1/views", json={**URGENT, "name": f"v{number}"})

    answer = await mine.post("/api/v1/views", json=URGENT)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
