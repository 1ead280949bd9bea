"""A run whose customer was erased is still a page that opens, with its amounts."""

from __future__ import annotations

import json

from deskhub.store import erased
from deskhub.store.event import from_row
from tests.actions.five import LI_WEI


async def test_an_erased_run_still_opens_with_its_amount_and_without_the_person(desk):
    before = await desk.returned()
    assert before["state"] == "completed"

    await desk.store.transact(
        "main", lambda tx: erased.finish(tx, desk.conversation, 0, "agent:a_9", "customer")
    )

    after = await desk.actions.run(LI_WEI, before["id"])
    assert after["amount"] == before["amount"]
    assert [step["state"] for step in after["steps"]] == [s["state"] for s in before["steps"]]
    assert [step["title"] for step in after["steps"]] == [s["system"] for s in after["steps"]]
    told = [from_row(row) for row in await desk.events()]
    assert "Wang Fang" not in json.dumps([json.loads(event.encoded) for event in told])
