"""Runs that wait for days and runs that two people start: every crash, every answer.

Beside `test_model`: the same engine, journal and tables; only far sides and disk are in memory.
`DESKHUB_MODEL=full` walks every cell of waiting; otherwise every 37th.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from deskhub.actions.approvals import Approvals
from deskhub.actions.confirm import Confirmations
from deskhub.actions.journal import Journal
from deskhub.actions.kinds import ORDER_RETURN
from deskhub.actions.limits import Limits
from deskhub.actions.plan import Previews
from deskhub.actions.planner import Offer
from deskhub.actions.policy import ordered
from deskhub.actions.ports import Setting
from deskhub.actions.registry import Registry
from deskhub.errors import HubError
from deskhub.store import approvals, runs
from deskhub_sdk.errors import NotSent, OutcomeUnknown
from deskhub_sdk.records import Money
from deskhub_sdk.steps import Waiting
from tests.actions.five import (
    DEDUPE,
    LI_WEI,
    ORDER,
    START,
    Crash,
    CrashingStore,
    FiveSystems,
    HandClock,
    System,
    drive,
    loaded,
    spec,
    start,
)
from tests.actions.test_model import ENDS, Forgetful, aim, is_crash, verdict

STRIDE = 1 if os.environ.get("DESKHUB_MODEL") == "full" else 37
FAULTS = ((), ("timeout_before",), ("timeout_after",), ("error_500",), ("not_sent",))
GOODS = ("before_refund", "after_refund")
PARCEL = ("comes", "comes late", "never")
LEAD = replace(LI_WEI, id="a_zhou", name="Zhou Min", role="supervisor")
ANSWERS = ("approve", "refuse", "other digest", "same person", "late", "twice")


class Parcel(System):
    """The warehouse's gate: answers that it waits until somebody books the parcel."""

    arrived = False

    def run(self, key):
        self.calls.append("run")
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "not_sent":
            raise NotSent("line is down")
        if fault:
            raise OutcomeUnknown(fault)
        if not self.arrived:
            return Waiting(START + timedelta(days=14), wake_on="erp:REC-1", text="Parcel")
        self.apply(key)
        return {"ref": key}


class Patient(FiveSystems):
    """The five systems and a return that waits, by *policy*."""

    def __init__(self, policy, dedupe):
        super().__init__(DEDUPE)
        goods = spec("AwaitGoods", "goods_in", "compensable", dedupe, ("restocked",))
        self.offered = ordered([*self.offered, Offer("erp", goods, "1")], policy)
        self.systems["AwaitGoods"] = Parcel(dedupe)


def waiting_cells():
    crashes = [None, *itertools.product(("before", "after"), range(1, 34))]
    faulted = itertools.product(GOODS, PARCEL, ("key", "lookup"), FAULTS)
    return ((*cell, crash) for cell, crash in itertools.product(faulted, crashes))


async def wait_and_see(cell, journal=Journal):
    """Run one cell to its end and return what is wrong with it."""
    policy, parcel, dedupe, faults, crash = cell
    clock = HandClock()
    store = CrashingStore(clock)
    five = Patient(policy, dedupe)
    gate = five.systems["AwaitGoods"]
    gate.faults = list(faults)
    await start(store, clock, five)
    looks = 0
    for life in range(12):
        run = await loaded(store)
        if run.state in ENDS:
            break
        if life == 0 or crash is None or len(crash) > life + 1:
            aim(store, crash, life)
        try:
            if run.state == "waiting":
                looks += 1
                gate.arrived = parcel == "comes" or (parcel == "comes late" and looks > 2)
                desk = journal(store, Registry(), clock, owner="w")
                overdue = parcel == "never" and looks > 1
                await desk.wake("main", run.id, overdue=overdue)
            else:
                await drive(store, five, clock, journal=journal)
        except (Crash, BaseExceptionGroup) as error:
            if not is_crash(error):
                raise
            store.restart()
            clock.pass_by(31)
    end, problems = verdict(five, await loaded(store))
    if parcel == "never" and end == "completed":
        problems.append("completed without the parcel")
    return end, problems


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_cell_of_waiting_ends_and_nothing_happens_twice(capsys):
    ends: Counter[str] = Counter()
    wrong = []

    for cell in itertools.islice(waiting_cells(), 0, None, STRIDE):
        end, problems = await wait_and_see(cell)
        ends[end] += 1
        wrong += [(cell, problem) for problem in problems]

    with capsys.disabled():
        figures = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        print(f"\n{sum(ends.values())} cells of waiting: {figures}, {len(wrong)} violations")
    assert wrong == []
    assert {"completed", "attention"} <= set(ends)


async def test_waiting_without_the_intent_record_is_caught():
    wrong = 0

    for cell in itertools.islice(waiting_cells(), 0, None, 61):
        wrong += len((await wait_and_see(cell, journal=Forgetful))[1])

    assert wrong > 0


class Here:
    """One conversation with one customer and one shop."""

    def orders(self, tenant):
        return ("orders", self)

    async def get_orders(self, ids):
        return dict.fromkeys(ids, ORDER)

    async def refusal(self, tenant, action, object_, principal):
        return None

    def transcript(self, setting):
        return ""


SETTING = Setting("c_1", "main", "shop", "v_1", "en", None, ("orders:1042",))
FORM = {"object": "orders:1042", "lines": [{"line": "1", "quantity": 2}], "reason": "damaged"}


class DecidedFirst(Approvals):
    """The sabotaged twin: the decision commits before the run that it allows."""

    async def approve(self, principal, kind, setting, row, plan, reason):
        await self._store.transact(
            row.tenant,
            lambda tx: self._decide(tx, principal, kind, plan, row, "approved", reason, None),
        )
        await self._confirmations.approved(
            LI_WEI, kind, setting, plan, None, lambda tx, run: None
        )
        return row


class TwoPeople:
    """An agent who asks and a supervisor who answers, on a disk that may stop anywhere."""

    def __init__(self, approvals=Approvals):
        self.clock = HandClock()
        self.store = CrashingStore(self.clock)
        self.five = FiveSystems()
        limits = Limits({"agent": Money("300.00", "CNY")})
        journal = Journal(self.store, Registry(), self.clock, owner="w")
        self.previews = Previews(self.five, Here(), self.clock, {})
        self.confirmations = Confirmations(
            self.store, journal, self.previews, self.clock, limits
        )
        self.approvals = approvals(self.store, self.confirmations, limits, self.clock)

    async def asked(self):
        checked = await self.previews.check(LI_WEI, ORDER_RETURN, SETTING, FORM)
        plan = await self.confirmations.keep(LI_WEI, ORDER_RETURN, SETTING, checked)
        await self.approvals.ask(LI_WEI, ORDER_RETURN, SETTING, plan)
        return plan

    async def answered(self, plan, answer):
        """Let the second person press their button once."""
        row = await self.store.read(lambda c: approvals.load_approval(c, "main", plan=plan.id))
        if answer == "late":
            self.clock.pass_by(3601)
        who = LI_WEI if answer == "same person" else LEAD
        digest = "sha256:other" if answer == "other digest" else plan.digest
        self.approvals.check(who, row, plan, digest)
        if answer == "refuse":
            await self.approvals.refuse(LEAD, ORDER_RETURN, row, plan, "No.")
        else:
            await self.approvals.approve(LEAD, ORDER_RETURN, SETTING, row, plan, "")


def approval_cells():
    crashes = [None, *itertools.product(("before", "after"), range(1, 12))]
    return itertools.product(ANSWERS, crashes)


async def ask_and_answer(cell, desk=Approvals):
    """Run one cell to its end and return what is wrong with it."""
    answer, crash = cell
    two = TwoPeople(desk)
    plan = await two.asked()
    aim(two.store, crash, 0)
    # People press again when nothing seems to have happened.
    for _ in range(3 if answer == "twice" or crash else 1):
        try:
            await two.answered(plan, answer)
        except Crash:
            two.store.restart()
        except HubError:
            pass
    made = await two.store.read(lambda c: runs.list_runs(c, "main"))
    for _ in range(3):
        if not made or made[0].state in ENDS:
            break
        try:
            await drive(two.store, two.five, two.clock, run_id=made[0].id)
        except (Crash, BaseExceptionGroup) as error:
            if not is_crash(error):
                raise
            two.store.restart()
            two.clock.pass_by(31)
        made = await two.store.read(lambda c: runs.list_runs(c, "main"))
    row = await two.store.read(lambda c: approvals.load_approval(c, "main", plan=plan.id))
    return _judged(answer, two.five, made, row)


def _judged(answer, five, made, row):
    state = {"approve": "approved", "twice": "approved", "refuse": "refused"}.get(
        answer, "asked"
    )
    problems = [] if row.state == state else [f"{answer}: the request is {row.state}"]
    if (row.state == "approved") != (len(made) == 1):
        problems.append(f"{row.state} with {len(made)} runs")
    if made and (row.run, made[0].state) != (made[0].id, "completed"):
        problems.append(f"the run is {made[0].state}, the request says {row.run}")
    wanted = {1} if made else {0}
    if {system.count for system in five.systems.values()} != wanted:
        problems.append("effects do not fit")
    return row.state, problems


async def test_every_cell_of_two_people_has_one_run_or_none(capsys):
    ends: Counter[str] = Counter()
    wrong = []

    for cell in approval_cells():
        end, problems = await ask_and_answer(cell)
        ends[end] += 1
        wrong += [(cell, problem) for problem in problems]

    with capsys.disabled():
        figures = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        print(f"\n{sum(ends.values())} cells of approval: {figures}, {len(wrong)} violations")
    assert wrong == []


async def test_an_approval_that_commits_before_its_run_is_caught():
    wrong = 0

    for cell in approval_cells():
        wrong += len((await ask_and_answer(cell, desk=DecidedFirst))[1])

    assert wrong > 0
