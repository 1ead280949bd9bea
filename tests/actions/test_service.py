"""From the form to the run, on the real store: exactly one run, whatever people press."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import msgspec
import pytest
import sqlalchemy as sa

from deskhub.actions.errors import (
    ActionRefused,
    AlreadyRunning,
    DigestMismatch,
    NotEligible,
    PlanChanged,
    PlanExpired,
)
from deskhub.actions.planner import Absent
from deskhub.errors import Forbidden, Invalid, NotFound
from deskhub.identity.model import Principal
from deskhub.store import audit
from deskhub.store.tables.actions import action_plan
from deskhub_sdk.errors import Unavailable
from deskhub_sdk.steps import Change, Preview, Refusal
from tests.actions.conftest import VISITOR
from tests.actions.five import CHEN, LI_WEI, ORDER


async def test_what_can_be_done_is_offered_by_order(desk):
    offered = await desk.actions.available(LI_WEI, desk.conversation)

    assert [one["type"] for one in offered] == [
        "order.return@1", "order.exchange@1", "order.refund@1", "ticket.escalate@1",
    ]  # fmt: skip
    assert offered[:1] == [
        {
            "type": "order.return@1", "title": "Return", "object": "orders:1042",
            "label": "Return from order #1042", "enabled": True, "reason": None,
            "running": None,
        }
    ]  # fmt: skip


async def test_an_action_nobody_can_do_is_offered_disabled_with_the_reason(desk):
    desk.five.offered = [o for o in desk.five.offered if o.spec.provides != "refunded"]

    offered = await desk.actions.available(LI_WEI, desk.conversation)

    assert offered[0]["enabled"] is False
    assert offered[0]["reason"] == "No enabled system can refund the payment."


async def test_a_plan_shows_every_step_and_does_nothing(desk):
    plan = await desk.planned()

    assert [step["id"] for step in plan["steps"]] == [
        "authorized", "restocked", "credited", "refunded", "noted-crm", "noted-tickets",
    ]  # fmt: skip
    assert [step["reversible"] for step in plan["steps"]] == [True] * 3 + [False] * 3
    assert plan["eligible"] == {"ok": True, "reasons": ["Every system agrees."]}
    assert plan["confirm_label"] == "Refund ¥399.00"
    assert all(system.calls == [] for system in desk.five.systems.values())


async def test_a_confirmed_return_runs_to_its_end(desk):
    view = await desk.returned()

    assert view["state"] == "completed"
    assert view["title"] == "Return R-1"
    assert view["sentence"] == "The customer has been refunded ¥399.00."
    assert view["choices"] == []
    assert {name: s.count for name, s in desk.five.systems.items()} == dict.fromkeys(
        desk.five.systems, 1
    )


async def test_both_sides_see_the_progress_and_nobody_sees_too_much(desk):
    await desk.returned()

    runs = await desk.events("run.changed")
    cards = await desk.events("card.shown")
    assert {row.audience for row in runs} == {"agents"}
    assert {row.audience for row in cards} == {"all"}
    shown = [json.loads(row.data)["card"] for row in cards]
    assert shown[-1]["badge"]["text"] == "您的退货已登记，款项已退回"
    revs = [card["rev"] for card in shown]
    assert revs == sorted(set(revs))
    assert len({card["id"] for card in shown}) == 1
    assert not any("erp" in json.dumps(card) for card in shown)


async def test_the_customer_gets_the_message_that_the_agent_wrote_once(desk):
    view = await desk.returned(message="您好，退货已办理。")
    assert view["state"] == "completed"
    assert view["steps"][-1]["provides"] == "told", view["steps"]

    said = [json.loads(row.data) for row in await desk.events("message.posted")]
    assert [(one["name"], one["text"]) for one in said[1:]] == [
        ("Li Wei", "您好，退货已办理。")
    ]


async def test_twenty_confirmations_by_two_agents_are_one_run(desk):
    plans = [await desk.planned(LI_WEI), await desk.planned(CHEN)]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                desk.actions.confirm(
                    (LI_WEI, CHEN)[n % 2], plans[n % 2]["id"], plans[n % 2]["digest"]
                )
            )
            for n in range(20)
        ]
    answers = {task.result() for task in tasks}

    assert len(answers) == 1
    view = await desk.ended(answers.pop())
    assert view["state"] == "completed"
    assert desk.five.systems["Refund"].count == 1
    assert len(await desk.actions.runs(LI_WEI)) == 1


async def test_a_different_return_of_the_same_order_is_refused_while_one_runs(desk):
    first = await desk.planned()
    other = await desk.planned(CHEN, lines=[{"line": "1", "quantity": 1}])
    gate = asyncio.Event()

    async def hold(step, call):
        await gate.wait()

    desk.five.during = hold
    run = await desk.actions.confirm(LI_WEI, first["id"], first["digest"])

    with pytest.raises(AlreadyRunning) as caught:
        await desk.actions.confirm(CHEN, other["id"], other["digest"])

    assert caught.value.extra["run"] == run
    assert caught.value.extra["started_by"]["name"] == "Li Wei"
    offered = await desk.actions.available(CHEN, desk.conversation)
    assert offered[0]["running"] == run
    gate.set()
    await desk.ended(run)


async def test_what_was_not_shown_cannot_be_confirmed(desk):
    plan = await desk.planned()

    with pytest.raises(DigestMismatch):
        await desk.actions.confirm(LI_WEI, plan["id"], "sha256:other")
    assert await nothing_happened(desk)


async def test_a_world_that_moved_is_shown_again_before_anything_runs(desk):
    plan = await desk.planned()
    desk.five.previews["Refund"] = Preview(title="Refund", changes=(), fingerprint="f2")

    with pytest.raises(PlanChanged) as caught:
        await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])

    renewed = caught.value.extra["plan"]
    assert renewed["digest"] != plan["digest"]
    assert all(system.calls == [] for system in desk.five.systems.values())
    run = await desk.actions.confirm(LI_WEI, renewed["id"], renewed["digest"])
    assert (await desk.ended(run))["state"] == "completed"


async def test_other_words_with_the_same_fingerprint_are_no_reason_to_ask_again(desk):
    plan = await desk.planned()
    changes = (Change("Activities", "4", "5"),)
    desk.five.previews["NoteActivity"] = Preview("NoteActivity", changes, "f1")

    run = await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])

    assert (await desk.ended(run))["state"] == "completed"


async def test_an_old_plan_cannot_be_confirmed(desk):
    plan = await desk.planned()
    await desk.store.transact("main", lambda tx: tx.connection.execute(
        action_plan.update().values(expires_at=tx.now - timedelta(seconds=1))
    ).rowcount)  # fmt: skip

    with pytest.raises(PlanExpired):
        await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])
    assert await nothing_happened(desk)


@pytest.mark.parametrize("role", ["auditor", None])
async def test_whose_role_may_not_act_confirms_nothing(desk, role):
    plan = await desk.planned()
    who = VISITOR if role is None else Principal("main", "agent", "a_z", role=role)

    with pytest.raises(Forbidden):
        await desk.actions.confirm(who, plan["id"], plan["digest"])
    assert await nothing_happened(desk)


async def test_confirming_again_after_the_end_is_the_same_run(desk):
    view = await desk.returned()
    plan = (await desk.actions.runs(LI_WEI))[0]
    kept = await desk.store.read(lambda c: c.execute(sa.select(action_plan)).first())

    again = await desk.actions.confirm(CHEN, kept.id, kept.digest)

    assert (again, plan["id"]) == (view["id"], view["id"])
    assert desk.five.systems["Refund"].count == 1


async def nothing_happened(desk):
    """Return whether there is no run and no system was called."""
    calls = [call for system in desk.five.systems.values() for call in system.calls]
    return await desk.actions.runs(LI_WEI) == [] and calls == []


async def test_a_system_that_says_no_keeps_the_plan_from_running(desk):
    desk.five.previews["Authorize"] = Refusal(code="late", text="Day 9 of 7.")

    plan = await desk.planned()

    assert plan["eligible"] == {"ok": False, "reasons": ["Day 9 of 7."]}
    with pytest.raises(NotEligible):
        await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])


async def test_a_system_that_does_not_answer_is_named(desk):
    desk.five.previews["Refund"] = Unavailable("503")

    plan = await desk.planned()

    assert plan["eligible"]["reasons"] == ["Refund could not check this."]


async def test_who_only_notes_afterwards_may_be_away_while_planning(desk):
    desk.five.previews["OpenCase"] = Unavailable("503")
    plan = await desk.planned()
    desk.five.previews.clear()

    run = await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])

    assert plan["eligible"]["ok"]
    assert plan["steps"][-1]["detail"] == "OpenCase could not check this."
    assert (await desk.ended(run))["state"] == "completed"


async def test_an_enabled_system_that_is_not_ready_is_named(desk):
    away = [one for one in desk.five.offered if one.instance in ("tickets", "erp")]
    desk.five.offered = [one for one in desk.five.offered if one not in away]
    desk.five.away = [Absent(one.spec, "An admin must sign in.") for one in away]

    plan = await desk.planned()

    assert {one["system"]: one["why"] for one in plan["dropped"]} == dict.fromkeys(
        ("ExpectReceipt", "DraftCreditNote", "OpenCase"),
        "It is not there now. An admin must sign in.",
    )


async def test_a_required_system_that_is_not_ready_says_why(desk):
    refund = next(one for one in desk.five.offered if one.spec.name == "Refund")
    desk.five.offered = [one for one in desk.five.offered if one is not refund]
    desk.five.away = [Absent(refund.spec, "Restarting.")]

    offered = await desk.actions.available(LI_WEI, desk.conversation)

    assert offered[0]["reason"] == "Refund is not there now. Restarting."


async def test_a_rule_is_asked_at_plan_and_again_at_confirmation(desk):
    plan = await desk.planned()
    desk.around.veto = "Returns above ¥300 need a supervisor."

    with pytest.raises(ActionRefused, match="need a supervisor"):
        await desk.planned()
    with pytest.raises(ActionRefused, match="need a supervisor"):
        await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])


async def test_the_amount_is_read_again_at_confirmation(desk):
    plan = await desk.planned()
    line = msgspec.structs.replace(ORDER.lines[0], returnable=1)
    desk.around.shop.orders["1042"] = msgspec.structs.replace(ORDER, lines=(line,))

    with pytest.raises(Invalid):
        await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])


async def test_only_agents_who_see_the_conversation_can_act(desk):
    plan = await desk.planned()
    elsewhere = Principal("main", "agent", "a_x", role="agent", inboxes=frozenset({"b2b"}))
    foreign = Principal("other", "agent", "a_y", role="agent")
    auditor = Principal("main", "agent", "a_z", role="auditor")
    run = await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])

    for who in (elsewhere, foreign):
        with pytest.raises(NotFound):
            await desk.actions.available(who, desk.conversation)
        with pytest.raises(NotFound):
            await desk.actions.confirm(who, plan["id"], plan["digest"])
        with pytest.raises(NotFound):
            await desk.actions.run(who, run)
    for who in (VISITOR, auditor):
        with pytest.raises(Forbidden):
            await desk.planned(who)
        with pytest.raises(Forbidden):
            await desk.actions.run(who, run)
    assert await desk.actions.runs(elsewhere) == []
    await desk.ended(run)


async def test_the_audit_trail_says_who_did_what(desk):
    view = await desk.returned(note="a secret of the customer")

    rows = await desk.store.read(lambda c: audit.trail(c, "main", object_="orders:1042"))
    assert [(row.actor, row.what) for row in rows] == [
        ("agent:a_li", "action.completed"), ("agent:a_li", "action.confirmed"),
    ]  # fmt: skip
    assert rows[0].data["run"] == view["id"]
    assert len(rows[0].data["steps"]) == 6
    assert "secret" not in json.dumps(rows[0].data)
