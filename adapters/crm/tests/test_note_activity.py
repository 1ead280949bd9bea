"""The CRM's part of a return: noted once, whatever happens on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from deskhub_crm import Crm, CrmConfig
from deskhub_crm.simulator import CrmSimulator
from deskhub_crm.steps import NoteActivity
from deskhub_sdk import (
    Money,
    Order,
    OrderId,
    OutcomeUnknown,
    Preview,
    Principal,
    ReturnLine,
    StepCall,
    Subject,
)
from deskhub_sdk.testing import given_context

TOKEN = "crm-test-token"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def call(customer: str = "C-1001", key: str = "dh_R-77_crm.NoteActivity") -> StepCall:
    order = Order(
        id=OrderId("1042"), number="1042", customer=customer, status="delivered",
        placed_at=AT, updated_at=AT, version=6, total=Money("428.00", "CNY"),
        refunded=Money("0.00", "CNY"), lines=(),
    )  # fmt: skip
    line = ReturnLine(
        line="1", sku="TS-42", title="Trail Shoe 42", quantity=1, amount=Money("399.00", "CNY")
    )
    return StepCall(
        action="order.return@1", run="R-77", key=key, facts={"refunded": {"id": "rf_1"}},
        subject=Subject(
            about=order, lines=(line,), amount=Money("399.00", "CNY"), reason="damaged"
        ),
        actor=Principal(id="a_1", kind="agent", name="Li Wei"),
    )  # fmt: skip


@asynccontextmanager
async def desk(language: str = "en") -> AsyncIterator[tuple[NoteActivity, CrmSimulator]]:
    async with (
        CrmSimulator(token=TOKEN).serving() as simulator,
        given_context(instance="crm", language=language, timeout_s=0.5) as ctx,
    ):
        crm = Crm(CrmConfig.model_validate({"base_url": simulator.url, "token": TOKEN}))
        await crm.start(ctx)
        yield NoteActivity(crm), simulator


def noted(simulator: CrmSimulator) -> int:
    return sum(simulator.effects.get("activity_recorded", {}).values())


def test_the_step_says_what_it_needs_and_how_it_repeats() -> None:
    spec = NoteActivity.spec

    assert (spec.action, spec.provides, spec.needs) == (
        "order.return@1",
        "noted",
        ("refunded",),
    )
    assert (spec.kind, spec.dedupe) == ("retriable", "lookup")


async def test_the_preview_changes_nothing_and_names_the_customer() -> None:
    async with desk() as (step, simulator):
        preview = await step.preview(call(key=""))

    assert isinstance(preview, Preview)
    assert preview.title == "Note this on Wang Fang 王芳"
    assert [(c.before, c.after) for c in preview.changes] == [
        (None, "Return of order 1042: ¥399.00"), ("0", "1"),
    ]  # fmt: skip
    assert noted(simulator) == 0


async def test_the_preview_speaks_the_readers_language() -> None:
    async with desk(language="zh-CN") as (step, _):
        preview = await step.preview(call(key=""))

    assert isinstance(preview, Preview)
    assert preview.changes[0].after == "订单 1042 退货：¥399.00"


async def test_an_unknown_customer_does_not_stop_the_return() -> None:
    async with desk() as (step, simulator):
        preview = await step.preview(call(customer="C-9999"))
        fact = await step.run(call(customer="C-9999"))

    assert isinstance(preview, Preview)
    assert "C-9999" in preview.detail
    assert fact["id"] == "A-512"
    assert simulator.records.activities[0]["contact"] is None


async def test_the_step_twice_is_one_effect_and_one_fact() -> None:
    async with desk() as (step, simulator):
        first = await step.run(call())
        second = await step.run(call())

    assert first == second
    assert noted(simulator) == 1


async def test_another_run_is_another_activity() -> None:
    async with desk() as (step, simulator):
        await step.run(call())
        await step.run(call(key="dh_R-78_crm.NoteActivity"))

    assert noted(simulator) == 2


async def test_the_lookup_answers_after_an_unknown_outcome() -> None:
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/activities", "kind": "timeout_after"})
        assert await step.lookup(call()) is None
        with pytest.raises(OutcomeUnknown):
            await step.run(call())

        found = await step.lookup(call())
        assert found == await step.run(call())

    assert noted(simulator) == 1


async def test_a_request_that_never_arrived_is_found_missing() -> None:
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/activities", "kind": "timeout_before"})
        with pytest.raises(OutcomeUnknown):
            await step.run(call())

        assert await step.lookup(call()) is None
        await step.run(call())

    assert noted(simulator) == 1


async def test_a_500_is_an_unknown_outcome_and_is_not_repeated_by_itself() -> None:
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/activities", "kind": "500"})
        with pytest.raises(OutcomeUnknown):
            await step.run(call())

    assert noted(simulator) == 0
    assert sum(one["method"] == "POST" and one["path"] == "/api/activities"
               for one in simulator.requests) == 1  # fmt: skip


async def test_without_the_lookup_the_same_faults_double_the_effect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sabotaged twin: a step that trusts the CRM to notice repetitions."""

    async def never(self: NoteActivity, given: StepCall) -> Any:
        return None

    monkeypatch.setattr(NoteActivity, "lookup", never)
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/activities", "kind": "timeout_after"})
        with pytest.raises(OutcomeUnknown):
            await step.run(call())
        await step.run(call())

    assert noted(simulator) == 2


async def test_the_profile_shows_the_new_activity_at_once() -> None:
    async with desk() as (step, _):
        before = await step.preview(call(key=""))
        await step.run(call())
        after = await step.preview(call(key=""))

    assert isinstance(before, Preview)
    assert isinstance(after, Preview)
    assert after.changes[0].before == "Return of order 1042: ¥399.00"
    assert after.fingerprint == before.fingerprint


async def test_a_restarted_simulator_still_knows_what_was_noted(tmp_path: Any) -> None:
    state = tmp_path / "crm.json"
    async with CrmSimulator(state=state).serving() as simulator, given_context() as ctx:
        crm = Crm(CrmConfig.model_validate({"base_url": simulator.url, "token": "t"}))
        await crm.start(ctx)
        fact = await NoteActivity(crm).run(call())
    async with CrmSimulator(state=state).serving() as simulator, given_context() as ctx:
        crm = Crm(CrmConfig.model_validate({"base_url": simulator.url, "token": "t"}))
        await crm.start(ctx)

        assert await NoteActivity(crm).lookup(call()) == fact
