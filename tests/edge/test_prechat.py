"""The form before a conversation: set by an admin, asked of visitors, kept by the rules."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from deskhub.store import audit
from deskhub.store import prechat as kept
from tests.chat.test_forms import FORM, GOOD
from tests.edge.conftest import World
from tests.edge.test_rating import post

HELLO = {"body": {"kind": "text", "text": "Hello"}}
TALKS = "/api/v1/conversations"


async def asking(world: World, form: Any = FORM) -> httpx2.AsyncClient:
    """Let the inbox ask, and return the admin who said so."""
    admin = await world.client(await world.agent("admin"))
    answer = await admin.put("/api/v1/inboxes/web/prechat", json={"form": form})
    assert answer.status_code == 200, answer.text
    return admin


async def test_a_visitor_answers_writes_and_an_agent_reads_what_was_answered(
    world: World,
) -> None:
    await asking(world)
    came = await world.visitor()
    visitor = await world.client(came["token"])
    assert came["settings"]["prechat"] == FORM
    assert list(came["settings"]["prechat"]["properties"]) == list(FORM["properties"])

    answered = await visitor.put("/api/v1/prechat", json={"answers": GOOD})
    opened = await post(visitor, TALKS, HELLO)

    assert (answered.status_code, answered.json()) == (200, {"form": None})
    assert opened.status_code == 201, opened.text
    agent = await world.client(await world.agent())
    here = f"{TALKS}/{opened.json()['conversation']}"
    told = (await agent.get(f"{here}/prechat")).json()["answers"]
    assert [(one["field"], one["value"]) for one in told] == list(GOOD.items())
    kinds = [one["kind"] for one in (await agent.get(here)).json()["events"]]
    assert kinds == ["conversation.opened", "prechat.answered", "message.posted"]
    seen = [one["kind"] for one in (await visitor.get(here)).json()["events"]]
    assert "prechat.answered" not in seen
    found = await world.hub.store.read(lambda db: kept.answers_of(db, "main", came["visitor"]))
    assert found is None


async def test_a_hand_made_client_cannot_leave_the_form_out(world: World) -> None:
    await asking(world)
    visitor = await world.client((await world.visitor())["token"])

    for answers in (None, {}, GOOD | {"email": "no"}, GOOD | {"more": "x"}):
        if answers is not None:
            refused = await visitor.put("/api/v1/prechat", json={"answers": answers})
            assert (refused.status_code, refused.json()["code"]) == (422, "prechat_needed")
        answer = await post(visitor, TALKS, HELLO)
        assert (answer.status_code, answer.json()["code"]) == (422, "prechat_needed")

    assert {one["path"] for one in answer.json()["errors"]} == {
        "answers.name", "answers.email", "answers.topic", "answers.terms",
    }  # fmt: skip
    assert (await visitor.get(TALKS)).json().get("conversations", []) == []


async def test_a_form_that_changed_meanwhile_is_asked_again(world: World) -> None:
    admin = await asking(world)
    visitor = await world.client((await world.visitor())["token"])
    await visitor.put("/api/v1/prechat", json={"answers": GOOD})
    stricter = FORM | {"required": [*FORM["required"], "about"]}

    await admin.put("/api/v1/inboxes/web/prechat", json={"form": stricter})

    refused = await post(visitor, TALKS, HELLO)
    assert [one["path"] for one in refused.json()["errors"]] == ["answers.about"]
    assert (await visitor.get("/api/v1/prechat")).json()["form"] == stricter
    await admin.put("/api/v1/inboxes/web/prechat", json={"form": None})
    assert (await post(visitor, TALKS, HELLO)).status_code == 201


async def test_who_is_vouched_for_and_who_talks_already_is_not_asked(world: World) -> None:
    anonymous = await world.client((await world.visitor())["token"])
    await post(anonymous, TALKS, HELLO)

    await asking(world)

    known = await world.visitor(subject="C-1")
    assert known["settings"]["prechat"] is None
    assert (await post(await world.client(known["token"]), TALKS, HELLO)).status_code == 201
    assert (await anonymous.get("/api/v1/snapshot")).json()["settings"]["prechat"] is None
    assert (await post(anonymous, TALKS, HELLO)).status_code == 201
    assert (await world.visitor("second"))["settings"]["prechat"] is None


async def test_an_invalid_form_is_refused_by_place_and_a_look_changes_nothing(
    world: World,
) -> None:
    admin = await world.client(await world.agent("admin"))
    bad = FORM | {"properties": {"age": {"type": "number", "title": "Age"}}}

    refused = await admin.put("/api/v1/inboxes/web/prechat", json={"form": bad})
    looked = await admin.put("/api/v1/inboxes/web/prechat", json={"form": FORM, "save": False})

    assert (refused.status_code, refused.json()["code"]) == (422, "form_invalid")
    assert "properties.age.type" in [one["path"] for one in refused.json()["errors"]]
    assert (looked.status_code, looked.json()["prechat"]) == (200, None)
    rows = await world.hub.store.read(lambda db: audit.trail(db, "main"))
    assert [row.what for row in rows].count("inbox.changed") == 0


async def test_ratings_and_the_form_do_not_forget_each_other(world: World) -> None:
    admin = await asking(world)

    await admin.patch("/api/v1/inboxes/web", json={"asks_rating": False})
    row = (await admin.put("/api/v1/inboxes/web/prechat", json={"form": None})).json()

    assert (row["asks_rating"], row["prechat"]) == (False, None)
    foreign = await admin.put("/api/v1/inboxes/other/prechat", json={"form": None})
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    "answers", [{"name": 7}, {"name": "x" * 5_000}, {"n" * 50: "x"}, [], 1]
)
async def test_answers_of_another_shape_are_refused(world: World, answers: Any) -> None:
    await asking(world)
    visitor = await world.client((await world.visitor())["token"])

    answer = await visitor.put("/api/v1/prechat", json={"answers": answers})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_the_export_has_answers_that_wait_for_a_message(world: World) -> None:
    admin = await asking(world)
    came = await world.visitor()
    visitor = await world.client(came["token"])
    await visitor.put("/api/v1/prechat", json={"answers": GOOD})
    identity = {"inbox": "key-web", "token": came["token"], "identity": world.identity("C-7")}
    await visitor.post("/api/v1/visitors", json=identity)
    customer = await world.hub.store.read(_customer)

    document = (await admin.post(f"/api/v1/customers/{customer}/export")).json()

    assert [(one["visitor"], one["answers"]) for one in document["answers"]] == [
        (came["visitor"], GOOD)
    ]


def _customer(db: Any) -> str:
    return db.exec_driver_sql("SELECT id FROM customer").scalar_one()
