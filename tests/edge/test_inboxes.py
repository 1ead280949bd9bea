"""What an admin decides of an inbox holds at once, and is written down."""

from __future__ import annotations

from deskhub.store import audit
from tests.edge.conftest import World
from tests.edge.test_rating import post, talked


async def test_an_inbox_stops_asking_how_it_was_and_begins_again(world: World) -> None:
    conversation, visitor, _ = await talked(world)
    admin = await world.client(await world.agent("admin"))
    here = f"/api/v1/conversations/{conversation}"
    assert (await visitor.get(here)).json()["conversation"]["unrated"]

    off = await admin.patch("/api/v1/inboxes/web", json={"asks_rating": False})

    assert (off.status_code, off.json()["asks_rating"]) == (200, False)
    assert (await visitor.get(here)).json()["conversation"]["unrated"] is None
    refused = await post(visitor, f"{here}/rate", {"score": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_rateable")
    assert (await visitor.get("/api/v1/snapshot")).json()["settings"]["rating"] is False
    assert (await world.visitor())["settings"]["rating"] is False
    assert (await world.visitor("second"))["settings"]["rating"] is True

    await admin.patch("/api/v1/inboxes/web", json={"asks_rating": True})

    assert (await post(visitor, f"{here}/rate", {"score": 5})).status_code == 200
    listed = (await admin.get("/api/v1/inboxes")).json()["inboxes"]
    assert [(one["id"], one["asks_rating"]) for one in listed] == [
        ("web", True), ("second", True),
    ]  # fmt: skip


async def test_who_decided_stands_in_the_audit_trail_once(world: World) -> None:
    admin = await world.client(await world.agent("admin"))

    for _ in range(2):
        await admin.patch("/api/v1/inboxes/web", json={"asks_rating": False})

    rows = await world.hub.store.read(lambda db: audit.trail(db, "main"))
    decided = [row for row in rows if row.what == "inbox.changed"]
    assert [(row.object, row.data) for row in decided] == [
        ("inbox:web", {"asks_rating": False})
    ]


async def test_another_tenants_inbox_is_not_there(world: World) -> None:
    admin = await world.client(await world.agent("admin"))

    for inbox in ("other", "made-up"):
        answer = await admin.patch(f"/api/v1/inboxes/{inbox}", json={"asks_rating": False})
        assert answer.status_code == 404
    listed = (await admin.get("/api/v1/inboxes")).json()["inboxes"]
    assert "other" not in [one["id"] for one in listed]


async def test_what_is_no_decision_is_refused(world: World) -> None:
    admin = await world.client(await world.agent("admin"))

    for body in ({}, {"asks_rating": "no"}, {"asks_rating": None}, {"asks": False}):
        answer = await admin.patch("/api/v1/inboxes/web", json=body)
        assert answer.status_code == 422, body
