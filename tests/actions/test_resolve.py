"""A person decides: every button, what it asks for, and what it leaves behind."""

from __future__ import annotations

import json

import pytest

from deskhub.actions.handing import ESCALATE
from deskhub.actions.planner import Offer
from deskhub.errors import Conflict, Invalid
from deskhub.store import audit
from tests.actions.five import DEDUPE, LI_WEI, FiveSystems, System, spec

REFUND_BY_HAND = (*DEDUPE[:3], "none", *DEDUPE[4:])


def use(desk, dedupe):
    """Let the far sides be able to do what *dedupe* says."""
    fresh = FiveSystems(dedupe)
    desk.five.offered = fresh.offered
    desk.five.systems = {o.spec.name: System(o.spec.dedupe) for o in fresh.offered}


def choices(view):
    return [choice["do"] for choice in view["choices"]]


async def resolved(desk, view, do, reason=""):
    await desk.actions.resolve(LI_WEI, view["id"], do, reason)
    return await desk.ended(view["id"])


async def test_a_step_left_after_the_money_can_be_retried(desk):
    desk.five.systems["OpenCase"].faults = ["not_sent"] * 3

    view = await desk.returned()

    assert view["sentence"] == ("The customer has been refunded ¥399.00. OpenCase is not done.")
    assert choices(view) == ["retry", "done", "hand_over"]
    assert view["choices"][0]["suggested"]
    view = await resolved(desk, view, "retry")
    assert view["state"] == "completed"
    assert desk.five.systems["Refund"].count == 1


async def test_the_customer_reads_that_one_step_is_left(desk):
    desk.five.systems["OpenCase"].faults = ["not_sent"] * 3

    await desk.returned()

    cards = [json.loads(row.data)["card"] for row in await desk.events("card.shown")]
    assert cards[-1]["badge"]["text"] == "还差一步"


async def test_an_unknown_step_can_be_checked_again(desk):
    use(desk, (*DEDUPE[:3], "lookup", *DEDUPE[4:]))
    desk.five.systems["Refund"].faults = ["timeout_after"]
    desk.five.systems["Refund"].lookup_faults = ["502"] * 2

    view = await desk.returned()

    assert view["sentence"].startswith(
        "It is not known whether the customer has been refunded ¥399.00."
    )
    assert choices(view) == ["check", "retry", "done", "hand_over"]
    view = await resolved(desk, view, "check")
    assert view["state"] == "completed"
    assert desk.five.systems["Refund"].count == 1


async def test_checking_changes_nothing_where_nothing_happened(desk):
    use(desk, (*DEDUPE[:3], "lookup", *DEDUPE[4:]))
    desk.five.systems["Refund"].faults = ["timeout_before"]
    desk.five.systems["Refund"].lookup_faults = ["502"] * 2
    view = await desk.returned()

    view = await resolved(desk, view, "check")

    assert view["state"] == "attention"
    assert view["sentence"] == "The customer has not been refunded."
    assert desk.five.systems["Refund"].count == 0
    assert choices(view) == ["retry", "undo", "done", "hand_over"]
    view = await resolved(desk, view, "undo")
    assert view["state"] == "compensated"
    assert sum(system.net for system in desk.five.systems.values()) == 0


async def test_what_no_machine_can_find_out_needs_a_reason(desk):
    use(desk, REFUND_BY_HAND)
    desk.five.systems["Refund"].faults = ["timeout_after"]
    view = await desk.returned()

    assert choices(view) == ["hand_over", "done", "retry"]
    with pytest.raises(Invalid):
        await desk.actions.resolve(LI_WEI, view["id"], "retry")
    with pytest.raises(Conflict):
        await desk.actions.resolve(LI_WEI, view["id"], "undo")
    view = await resolved(desk, view, "done", "Seen in the bank's portal")

    assert view["state"] == "completed"
    assert desk.five.systems["Refund"].count == 1
    refund = next(step for step in view["steps"] if step["id"] == "refunded")
    assert refund["result"] == "Done by hand, says Li Wei: Seen in the bank's portal"


async def test_a_failed_undo_can_be_tried_again(desk):
    desk.five.systems["Refund"].faults = ["refused"]
    desk.five.systems["ExpectReceipt"].undo_faults = ["refused"]
    view = await desk.returned()

    assert view["state"] == "attention"
    view = await resolved(desk, view, "retry")

    assert view["state"] == "compensated"
    assert sum(system.net for system in desk.five.systems.values()) == 0


async def test_a_failed_undo_can_be_settled_by_hand(desk):
    desk.five.systems["Refund"].faults = ["refused"]
    desk.five.systems["ExpectReceipt"].undo_faults = ["refused"]
    view = await desk.returned()

    view = await resolved(desk, view, "done", "The warehouse cancelled it by phone")

    assert view["state"] == "compensated"
    assert desk.five.systems["Authorize"].net == 0


async def test_handing_over_leaves_the_exact_half_state_as_a_note(desk):
    desk.five.systems["OpenCase"].faults = ["not_sent"] * 3
    view = await desk.returned()

    view = await resolved(desk, view, "hand_over", "My shift ends")

    assert view["state"] == "attention"
    note = json.loads((await desk.events("note.posted"))[0].data)["text"]
    assert "Handed over by Li Wei: My shift ends" in note
    assert "✓ Refund is done." in note
    assert "✕ OpenCase is not done." in note


async def test_handing_over_opens_a_case_with_what_is_left(desk):
    desk.five.offered.append(
        Offer("tickets", spec("Escalate", "escalated", "compensable", "key", (), ESCALATE), "1")
    )
    desk.five.systems["Escalate"] = System("key")
    desk.five.systems["OpenCase"].faults = ["not_sent"] * 3
    view, calls = await desk.returned(), {}

    async def heard(step, call):
        calls[step.spec.name] = call

    desk.five.during = heard
    await resolved(desk, view, "hand_over", "My shift ends")

    (case,) = (one for one in await desk.actions.runs(LI_WEI) if one["type"] == ESCALATE)
    assert (await desk.ended(case["id"]))["state"] == "completed"
    assert desk.five.systems["Escalate"].count == 1
    subject = calls["Escalate"].subject
    assert subject.summary.startswith(view["title"])
    for line in (
        "Handed over by Li Wei: My shift ends", "✓ Refund is done.", "✕ OpenCase is not done.",
        "not_sent line is down",
    ):  # fmt: skip
        assert line in subject.note


async def test_handing_over_where_nobody_opens_cases_leaves_the_note(desk):
    desk.five.systems["OpenCase"].faults = ["not_sent"] * 3
    view = await desk.returned()

    await resolved(desk, view, "hand_over", "My shift ends")

    assert len(await desk.events("note.posted")) == 1
    assert [one["type"] for one in await desk.actions.runs(LI_WEI)] == ["order.return@1"]


async def test_every_decision_is_in_the_audit_trail(desk):
    desk.five.systems["OpenCase"].faults = ["not_sent"] * 3
    view = await desk.returned()

    await resolved(desk, view, "hand_over", "My shift ends")

    rows = await desk.store.read(lambda c: audit.trail(c, "main", object_="orders:1042"))
    whats = {row.what for row in rows}
    assert whats == {"action.confirmed", "action.attention", "action.resolve.hand_over"}


async def test_a_run_that_needs_nobody_cannot_be_resolved(desk):
    view = await desk.returned()

    with pytest.raises(Conflict):
        await desk.actions.resolve(LI_WEI, view["id"], "retry")
    with pytest.raises(Invalid):
        await desk.actions.resolve(LI_WEI, view["id"], "explode")


async def test_a_stuck_return_keeps_its_order_from_a_second_one(desk):
    desk.five.systems["OpenCase"].faults = ["not_sent"] * 3
    view = await desk.returned()

    offered = await desk.actions.available(LI_WEI, desk.conversation)

    assert offered[0]["running"] == view["id"]
    assert offered[0]["enabled"] is False
    stuck = await desk.actions.runs(LI_WEI, "attention")
    assert [run["id"] for run in stuck] == [view["id"]]
