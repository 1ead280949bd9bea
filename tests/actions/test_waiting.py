"""A return waits days for its parcel, before the money or after it, and nobody forgets it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from deskhub.actions.kinds import ORDER_RETURN
from deskhub.actions.planner import Offer, arrange
from deskhub.actions.policy import ordered
from deskhub.clock import SystemClock
from deskhub.errors import Conflict
from deskhub.store.signals import SignalRow, take
from deskhub.store.tables.actions import action_run
from deskhub_sdk.steps import Waiting
from tests.actions.five import LI_WEI, FiveSystems, System, spec

GOODS = Offer("erp", spec("AwaitGoods", "goods_in", "compensable", "key", ("restocked",)), "1")


class Parcel(System):
    """The warehouse's gate: waits until somebody books the parcel."""

    arrived = False

    def run(self, key):
        self.calls.append("run")
        if self.arrived:
            return {"receipt": "REC-1"}
        return Waiting(
            SystemClock().now() + timedelta(days=14), wake_on="erp:REC-1", text="Parcel"
        )


@pytest.fixture(params=["before_refund", "after_refund"])
async def patient(desk, request):
    """Make the desk's hub wait for goods, by either policy."""
    desk.five.offered.append(GOODS)
    desk.five.systems["AwaitGoods"] = Parcel("key")
    desk.policy = request.param
    # The worker of the desk is the one that drives; only its plans differ.
    desk.actions._previews._goods_in = request.param
    return desk


async def until(desk, run, *states):
    async with asyncio.timeout(10):
        while True:
            view = await desk.actions.run(LI_WEI, run)
            if view["state"] in states:
                return view
            await asyncio.sleep(0.01)


async def asleep(desk):
    plan = await desk.planned()
    run = await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])
    return await until(desk, run, "waiting")


async def booked(desk, object_="erp:REC-1"):
    """Let the warehouse's signal arrive."""
    desk.five.systems["AwaitGoods"].arrived = True
    await desk.store.transact("main", lambda tx: take(tx.connection, SignalRow(
        tenant="main", instance="erp", dedupe=f"evt-{object_}", digest=b"d", object=object_,
        body=b"{}", received_at=tx.now, state="done", attempts=0, next_at=tx.now,
    )))  # fmt: skip


def test_the_policy_puts_the_parcel_before_the_money_or_after_it():
    five = FiveSystems()
    orders = {}
    for policy in ("never", "before_refund", "after_refund"):
        offers = ordered([*five.offered, GOODS], policy)
        steps = arrange(ORDER_RETURN, offers, {}).steps
        orders[policy] = [s.id for s in steps if s.id in ("goods_in", "refunded")]

    assert orders == {
        "never": ["refunded"],
        "before_refund": ["goods_in", "refunded"],
        "after_refund": ["refunded", "goods_in"],
    }


async def test_a_signal_about_the_parcel_wakes_the_run(patient):
    view = await asleep(patient)
    money = patient.five.systems["Refund"].count
    assert money == (0 if patient.policy == "before_refund" else 1)
    assert "Parcel" in view["sentence"]

    await booked(patient, "erp:REC-9")
    await asyncio.sleep(0.2)
    assert (await patient.actions.run(LI_WEI, view["id"]))["state"] == "waiting"
    await booked(patient)

    done = await until(patient, view["id"], "completed", "attention")
    assert done["state"] == "completed"
    assert {n: s.count for n, s in patient.five.systems.items() if n != "AwaitGoods"} == (
        dict.fromkeys((n for n in patient.five.systems if n != "AwaitGoods"), 1)
    )


async def test_the_order_stays_taken_while_its_run_sleeps(patient):
    view = await asleep(patient)

    offered = await patient.actions.available(LI_WEI, patient.conversation)

    assert offered[0]["running"] == view["id"]
    assert offered[0]["enabled"] is False


async def test_a_person_can_look_again(patient):
    view = await asleep(patient)
    assert next(c["do"] for c in view["choices"]) == "go_on"
    patient.five.systems["AwaitGoods"].arrived = True

    await patient.actions.resolve(LI_WEI, view["id"], "go_on")

    assert (await until(patient, view["id"], "completed"))["state"] == "completed"


async def test_looking_again_too_early_goes_back_to_sleep(patient):
    view = await asleep(patient)

    await patient.actions.resolve(LI_WEI, view["id"], "go_on")

    async with asyncio.timeout(10):
        while patient.five.systems["AwaitGoods"].calls != ["run", "run"]:
            await asyncio.sleep(0.01)
    assert (await until(patient, view["id"], "waiting"))["state"] == "waiting"


async def test_a_parcel_that_never_comes_needs_a_person(patient):
    view = await asleep(patient)
    await patient.store.transact("main", lambda tx: tx.connection.execute(
        action_run.update().values(wake_at=tx.now - timedelta(seconds=1))
    ).rowcount)  # fmt: skip

    late = await until(patient, view["id"], "attention")

    assert "AwaitGoods is not done." in late["sentence"]
    assert [c["do"] for c in late["choices"]][:2] == ["go_on", "done"]
    await patient.actions.resolve(LI_WEI, view["id"], "done", "It is in the hall")
    assert (await until(patient, view["id"], "completed"))["state"] == "completed"


async def test_before_the_money_a_sleeping_run_can_be_taken_back(patient):
    view = await asleep(patient)

    if patient.policy == "after_refund":
        with pytest.raises(Conflict):
            await patient.actions.resolve(LI_WEI, view["id"], "undo")
        return
    await patient.actions.resolve(LI_WEI, view["id"], "undo", "Changed their mind")

    done = await until(patient, view["id"], "compensated")
    assert patient.five.systems["Refund"].count == 0
    assert patient.five.systems["Authorize"].net == 0
    assert done["choices"] == []


async def test_the_customer_reads_what_is_awaited(patient):
    await asleep(patient)

    cards = [json.loads(row.data)["card"] for row in await patient.events("card.shown")]

    money_first = patient.policy == "after_refund"
    wanted = "您的退货已登记，款项已退回" if money_first else "等待收到您的包裹"
    assert cards[-1]["badge"]["text"] == wanted


async def test_another_version_on_waking_is_left_to_a_person(patient):
    view = await asleep(patient)
    patient.five.versions["erp"] = "2"
    await booked(patient)

    held = await until(patient, view["id"], "attention")
    await patient.actions.resolve(LI_WEI, view["id"], "retry")

    assert {s["state"] for s in held["steps"] if s["provides"] == "goods_in"} == {"held"}
    assert (await until(patient, view["id"], "completed"))["state"] == "completed"
