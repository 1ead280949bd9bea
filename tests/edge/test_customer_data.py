"""A customer's data over REST: who may, what is answered, and what connected readers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deskhub.identity.model import Principal
from deskhub.store import audit
from tests.edge.conftest import World
from tests.support.chat import NO_LIMITS, chat_hub

WORDS = "canary7f3a1c is broken"


async def test_erasing_over_rest(world: World) -> None:
    visitor = await world.visitor(subject="C-1")
    mine = await world.client(visitor["token"])
    await mine.post(
        "/api/v1/conversations",
        json={"body": {"kind": "text", "text": WORDS}},
        headers={"idempotency-key": "open"},
    )
    admin = await world.client(await world.agent("admin"))
    (view,) = (await admin.get("/api/v1/conversations?view=all")).json()["conversations"]
    id_ = view["customer"]["id"]

    wrong = await admin.post(f"/api/v1/customers/{id_}/erase", json={"confirm": "C-2"})
    right = await admin.post(f"/api/v1/customers/{id_}/erase", json={"confirm": "C-1"})
    again = await admin.post(f"/api/v1/customers/{id_}/erase", json={"confirm": "anything"})

    assert (wrong.status_code, wrong.json()["code"]) == (422, "erase_unconfirmed")
    assert (right.status_code, right.json()["state"]) == (200, "done")
    assert again.json() == right.json()
    page = (await admin.get(f"/api/v1/customers/{id_}")).json()
    assert (page["erased"]["state"], page["customer"]["name"]) == ("done", "")
    events = (await admin.get(f"/api/v1/conversations/{view['id']}")).text
    assert WORDS not in events
    assert "conversation.erased" in events
    assert (await mine.get("/api/v1/snapshot")).status_code == 401


async def test_merging_and_undoing_over_rest(world: World) -> None:
    admin = await world.client(await world.agent("supervisor"))
    ids = {}
    for subject in ("C-1", "C-2"):
        visitor = await world.visitor(subject=subject)
        client = await world.client(visitor["token"])
        await client.post(
            "/api/v1/conversations",
            json={"body": {"kind": "text", "text": subject}},
            headers={"idempotency-key": f"open-{subject}"},
        )
        found = (await admin.get(f"/api/v1/customers?q={subject}")).json()["customers"]
        ids[subject] = found[0]["id"]
    kept, gone = ids.values()

    done = await admin.post(f"/api/v1/customers/{kept}/merge", json={"gone": gone})
    page = (await admin.get(f"/api/v1/customers/{kept}")).json()
    undone = await admin.post(f"/api/v1/merges/{done.json()['id']}/undo")

    assert done.status_code == 201
    assert len(page["conversations"]) == 2
    assert [one["gone"] for one in page["merges"]] == [gone]
    assert undone.json()["undone"] is True
    assert (await admin.post(f"/api/v1/merges/{done.json()['id']}/undo")).status_code == 409


async def test_an_export_is_one_document(world: World) -> None:
    visitor = await world.visitor(subject="C-1")
    client = await world.client(visitor["token"])
    await client.post(
        "/api/v1/conversations",
        json={"body": {"kind": "text", "text": WORDS}},
        headers={"idempotency-key": "open"},
    )
    chen = await world.client(await world.agent("supervisor"))
    (found,) = (await chen.get("/api/v1/customers?q=C-1")).json()["customers"]

    answer = await chen.post(f"/api/v1/customers/{found['id']}/export")

    assert answer.headers["content-disposition"] == f'attachment; filename="{found["id"]}.json"'
    assert answer.json()["complete"] is True
    assert WORDS in answer.text
    foreign = await world.client(await world.agent("admin", tenant="rival"))
    assert (await foreign.post(f"/api/v1/customers/{found['id']}/export")).status_code == 404
    trail = await world.hub.store.read(lambda db: audit.trail(db, "main"))
    assert [row.what for row in trail] == ["customer.exported"]


async def test_connected_and_returning_readers_are_told_to_drop_their_copies(
    tmp_path: Path,
) -> None:
    """Socket and poll, at once and later; whoever comes fresh is not sent in circles."""
    async with chat_hub(tmp_path / "hub.db", limits=NO_LIMITS) as hub:
        conversation = await _said(hub)
        async with hub.dial("agent.a_1") as here, hub.http("agent.a_2") as poller:
            await here.until("welcome")
            before = (await poller.get("/api/v1/events", params={"wait": 0})).json()["cursor"]
            await hub.hub.eraser.conversation("main", conversation, "system", "customer")

            told = await here.until("reset")
            polled = (
                await poller.get("/api/v1/events", params={"wait": 0, "cursor": before})
            ).json()
            after = (
                await poller.get("/api/v1/events", params={"wait": 0, "cursor": told["cursor"]})
            ).json()
        async with hub.dial("agent.a_3", cursor=before) as later:
            late = await later.until("reset")

    assert (told["why"], polled["reset"], late["why"]) == ("erased", "erased", "erased")
    assert after["events"] == []
    assert told["cursor"] == polled["cursor"] == late["cursor"]


async def _said(hub: Any) -> str:
    from deskhub.chat.commands import OpenConversation

    who = Principal("main", "visitor", "v_1", "V", inboxes=frozenset({"web"}), session="v_1")
    done = await hub.chat.do(who, OpenConversation("web", WORDS), cid="open")
    return str(done.conversation)
