"""An export holds everything that the hub knows, as one JSON document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deskhub.errors import Forbidden, NotFound
from deskhub.identity.model import Principal
from deskhub.privacy import exported
from deskhub.store import audit, exports
from tests.privacy.conftest import ADMIN, CANARY, CHEN, EMAIL, LI, NAME, Home, everywhere


async def document(home: Home, customer: str, who: Principal = CHEN) -> dict[str, Any]:
    parts = await exported(home.store, who, customer)
    found: dict[str, Any] = json.loads(b"".join([part async for part in parts]))
    return found


async def test_everything_is_in_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "EVENTS_PAGE", 3)
    customer, conversation = await everywhere(home)
    await home.said("v_1", "and another thing")

    found = await document(home, customer)

    assert found["format"] == "deskhub.customer/1"
    assert found["customers"][0]["name"] == NAME
    assert [one["id"] for one in found["visitors"]] == ["v_1"]
    (talk,) = found["conversations"]
    assert talk["id"] == conversation
    events = {event["kind"]: event for event in talk["events"]}
    assert events["note.posted"]["internal"] is True
    assert events["message.posted"]["internal"] is False
    assert [one["seq"] for one in talk["events"]] == [
        one["seq"] for one in await home.events(conversation)
    ]
    assert [one["name"] for one in found["files"]] == [f"{CANARY}.txt"]
    assert [one["card"]["title"] for one in found["cards"]] == [CANARY]
    assert {one["address"] for one in found["mails"]} == {EMAIL, f"home.{EMAIL}"}
    (run,) = found["actions"]
    assert run["steps"][0]["attempts"][0]["text"] == f"sent to {CANARY}"
    assert [row["what"] for row in found["audit"]] == ["customer.exported"]
    assert found["complete"] is True


async def test_who_exported_is_written_down_and_not_everybody_may(home: Home) -> None:
    customer, _ = await everywhere(home)

    await document(home, customer)
    with pytest.raises(Forbidden):
        await document(home, customer, LI)
    with pytest.raises(NotFound):
        await document(home, customer, Principal("rival", "agent", "a", "E", role="admin"))

    (row,) = await home.store.read(lambda db: audit.trail(db, "main"))
    assert (row.actor, row.what, row.object) == (
        "agent:a_2", "customer.exported", f"customer:{customer}",
    )  # fmt: skip


async def test_after_an_erasure_the_export_is_empty_of_the_person(home: Home) -> None:
    customer, _ = await everywhere(home)
    await home.eraser.erase(ADMIN, customer, NAME)

    assert CANARY not in json.dumps(await document(home, customer))
