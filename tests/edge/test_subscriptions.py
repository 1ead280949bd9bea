"""Endpoints over REST: made, changed, rotated, removed, and written into the audit trail."""

from __future__ import annotations

from typing import Any

import pytest

from deskhub.store import audit
from tests.edge.conftest import World

HOME = "/api/v1/subscriptions"
WANTED = {"name": "CRM", "url": "https://crm.example/hook", "kinds": ["message.posted"]}


async def admin(world: World) -> Any:
    return await world.client(await world.agent("admin"))


async def test_an_endpoint_is_made_and_its_secret_told_once(world: World) -> None:
    client = await admin(world)

    made = (await client.post(HOME, json=WANTED)).json()
    listed = (await client.get(HOME)).json()

    assert made["secret"].startswith("whsec_")
    assert made["subscription"] in listed["subscriptions"]
    assert made["secret"] not in str(listed)
    assert "message.posted" in listed["kinds"]


async def test_it_is_changed_switched_off_and_on_and_removed(world: World) -> None:
    client = await admin(world)
    id_ = (await client.post(HOME, json=WANTED)).json()["subscription"]["id"]
    path = f"{HOME}/{id_}"

    changed = (await client.patch(path, json={"name": "ERP", "kinds": ["*"]})).json()
    off = (await client.patch(path, json={"active": False})).json()
    refused = await client.post(f"{path}/test", json={})
    on = (await client.patch(path, json={"active": True})).json()
    sent = await client.post(f"{path}/test", json={})
    page = (await client.get(f"{path}/deliveries/{sent.json()['delivery']}")).json()
    first = (await client.post(f"{path}/rotate", json={})).json()
    gone = await client.delete(path)

    assert (changed["name"], changed["kinds"], changed["url"]) == ("ERP", ["*"], WANTED["url"])
    assert (off["state"], off["why"]) == ("disabled", "admin")
    assert (refused.status_code, refused.json()["code"]) == (409, "subscription_disabled")
    assert (on["state"], on["why"]) == ("active", "")
    assert sent.status_code == 202
    assert (page["kind"], page["state"], page["tried"]) == ("webhook.test", "waiting", [])
    assert first["subscription"]["old_secret_until"] is not None
    assert gone.status_code == 204
    assert (await client.get(HOME)).json()["subscriptions"] == []
    assert (await client.get(f"{path}/deliveries")).status_code == 404
    trail = await world.hub.store.read(lambda db: audit.trail(db, "main"))
    assert [row.what for row in trail if row.object == f"subscription:{id_}"] == [
        "subscription.removed", "subscription.rotated", "subscription.changed",
        "subscription.changed", "subscription.changed", "subscription.created",
    ]  # fmt: skip
    assert first["secret"] not in str(trail)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"url": "http://crm.example/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://crm.example/a b"}, "url"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["order.paid"]}, "kinds.0"),
        ({"secret": "mine"}, "secret"),
        ({"name": ""}, "name"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_place(
    world: World, wrong: dict[str, Any], path: str
) -> None:
    answer = await (await admin(world)).post(HOME, json=WANTED | wrong)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == path


async def test_there_are_not_any_number_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deskhub.subscriptions import subscriptions

    monkeypatch.setattr(subscriptions, "SUBSCRIPTIONS_MAX", 2)
    client = await admin(world)

    statuses = [(await client.post(HOME, json=WANTED)).status_code for _ in range(3)]

    assert statuses == [201, 201, 409]


async def test_what_arrived_is_listed_for_an_admin(world: World) -> None:
    answer = await (await admin(world)).get("/api/v1/webhooks", params={"state": "dead"})

    assert answer.json() == {"signals": []}
