"""A worker dies in the middle: another takes the run to its end."""

from __future__ import annotations

import asyncio

from deskhub.actions.owner import Owner
from deskhub.actions.service import Actions
from deskhub.clock import SystemClock
from tests.actions.conftest import running
from tests.actions.five import LI_WEI


async def interrupted(desk, first):
    """Confirm with *first* as the only worker and stop it while the refund is under way."""
    reached, never = asyncio.Event(), asyncio.Event()

    async def hang(step, call):
        if step.spec.name == "Refund":
            reached.set()
            await never.wait()

    desk.five.during = hang
    plan = await first.plan(LI_WEI, "order.return@1", desk.conversation, {
        "object": "orders:1042", "lines": [{"line": "1", "quantity": 1}], "reason": "other",
    })  # fmt: skip
    run = await first.confirm(LI_WEI, plan["id"], plan["digest"])
    async with asyncio.timeout(10):
        await reached.wait()
    desk.five.during = None
    return run


def actions_of(desk, **options):
    defaults = {"pauses_s": (0.01, 0.02), "sweep_s": 0.05}
    return Actions(desk.store, desk.five, desk.around, SystemClock(), **defaults | options)


async def test_a_run_of_a_dead_worker_is_taken_over_when_its_lease_ends(desk):
    stop_the_desks_own_worker(desk)
    first = actions_of(desk, lease_s=0.5)
    async with running(first.worker):
        run = await interrupted(desk, first)
    assert (await first.run(LI_WEI, run))["state"] == "running"

    second = actions_of(desk, lease_s=0.5)
    async with running(second.worker):
        view = await desk.ended(run)

    assert view["state"] == "completed"
    assert desk.five.systems["Refund"].count == 1


async def test_a_restart_in_the_same_folder_does_not_wait_for_the_old_lease(desk, tmp_path):
    stop_the_desks_own_worker(desk)
    owner = Owner(tmp_path)
    first = actions_of(desk, owner=owner)
    async with running(first.worker):
        run = await interrupted(desk, first)
    owner.close()

    owner = Owner(tmp_path)
    second = actions_of(desk, owner=owner)
    async with running(second.worker):
        view = await desk.ended(run)
    owner.close()

    assert view["state"] == "completed"
    assert desk.five.systems["Refund"].count == 1


async def test_a_long_call_keeps_its_lease(desk):
    stop_the_desks_own_worker(desk)
    first = actions_of(desk, lease_s=0.3)
    second = actions_of(desk, lease_s=0.3)
    async with running(first.worker):
        run = await interrupted_softly(desk, first)
        async with running(second.worker):
            await asyncio.sleep(0.8)
            desk.gate.set()
            view = await desk.ended(run)

    assert view["state"] == "completed"
    assert desk.five.systems["Refund"].calls == ["run"]


async def interrupted_softly(desk, actions):
    """Confirm, and hold the refund until `desk.gate` opens."""
    reached = asyncio.Event()
    desk.gate = asyncio.Event()

    async def wait(step, call):
        if step.spec.name == "Refund":
            reached.set()
            await desk.gate.wait()

    desk.five.during = wait
    plan = await actions.plan(LI_WEI, "order.return@1", desk.conversation, {
        "object": "orders:1042", "lines": [{"line": "1", "quantity": 1}], "reason": "other",
    })  # fmt: skip
    run = await actions.confirm(LI_WEI, plan["id"], plan["digest"])
    async with asyncio.timeout(10):
        await reached.wait()
    return run


def test_a_second_process_in_the_same_folder_has_a_name_of_its_own(tmp_path):
    first, second = Owner(tmp_path), Owner(tmp_path)

    assert first.name != second.name
    name = first.name
    first.close()
    third = Owner(tmp_path)
    assert third.name == name
    third.close()
    second.close()


def stop_the_desks_own_worker(desk):
    """Let only this test's workers take runs."""
    desk.actions.worker._at_once = 0
