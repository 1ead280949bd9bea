"""The ticket system's part of a return: one case per run, whatever happens on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from deskhub_sdk import (
    Conflict,
    Money,
    Order,
    OrderId,
    OutcomeUnknown,
    Preview,
    ReturnLine,
    StepCall,
    Subject,
)
from deskhub_sdk.testing import given_context
from deskhub_tickets import Tickets, TicketsConfig
from deskhub_tickets.simulator import TicketsSimulator
from deskhub_tickets.steps import OpenCase

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = "dh_R-77_tickets.OpenCase"


def call(key: str = KEY, reason: str = "damaged", **more: Any) -> StepCall:
    order = Order(
        id=OrderId("1042"), number="1042", customer="C-1001", status="delivered",
        placed_at=AT, updated_at=AT, version=6, total=Money("428.00", "CNY"),
        refunded=Money("0.00", "CNY"), lines=(),
    )  # fmt: skip
    line = ReturnLine(
        line="1", sku="TS-42", title="Trail Shoe 42", quantity=1, amount=Money("399.00", "CNY")
    )
    facts = {"refunded": {"id": "rf_1"}, "authorized": {"rma_id": "RMA-9", "lines": 1}}
    subject = Subject(about=order, lines=(line,), amount=Money("399.00", "CNY"), reason=reason)
    return StepCall(
        action="order.return@1", run="R-77", key=key, subject=subject, facts=facts,
        conversation="c_7", **more,
    )  # fmt: skip


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[OpenCase, TicketsSimulator]]:
    async with (
        TicketsSimulator().serving() as simulator,
        given_context(instance="tickets", timeout_s=0.5) as ctx,
    ):
        settings = {"base_url": simulator.url, "token": "t", "webhook_secret": "w"}
        tickets = Tickets(TicketsConfig.model_validate(settings))
        await tickets.start(ctx)
        yield OpenCase(tickets), simulator


def opened(simulator: TicketsSimulator) -> int:
    return sum(simulator.effects.get("case_opened", {}).values())


def test_the_step_says_what_it_needs_and_how_it_repeats() -> None:
    spec = OpenCase.spec

    assert (spec.provides, spec.needs) == ("noted", ("refunded",))
    assert (spec.kind, spec.dedupe) == ("retriable", "key")


async def test_the_preview_changes_nothing_and_counts_the_other_cases() -> None:
    async with desk() as (step, simulator):
        preview = await step.preview(call(key=""))

    assert isinstance(preview, Preview)
    assert preview.title == "Open a case in Returns"
    assert preview.changes[0].after == "Return of order 1042: ¥399.00"
    assert preview.detail == "The customer has 1 other open case."
    assert opened(simulator) == 0


async def test_the_case_holds_what_a_colleague_needs() -> None:
    async with desk() as (step, simulator):
        fact = await step.run(call())
        case = simulator.records.find(fact["id"])

    assert case is not None
    assert case["body"].splitlines() == [
        "1 × Trail Shoe 42 (TS-42)", "damaged", "authorized: RMA-9", "refunded: rf_1", "R-77",
    ]  # fmt: skip
    assert (case["customer"], case["conversation"]) == ("C-1001", "c_7")
    assert case["links"] == [{"kind": "order", "id": "1042"}]
    assert fact["text"] == "Case SUP-331 opened"


async def test_the_step_twice_is_one_case_and_one_fact() -> None:
    async with desk() as (step, simulator):
        first = await step.run(call())
        second = await step.run(call())

    assert first == second
    assert opened(simulator) == 1


@pytest.mark.parametrize("kind", ["timeout_after", "timeout_before", "500"])
async def test_an_unknown_outcome_is_settled_by_the_same_key(kind: str) -> None:
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/issues", "kind": kind})
        with pytest.raises(OutcomeUnknown):
            await step.run(call())

        fact = await step.run(call())
        assert await step.lookup(call()) == fact

    assert opened(simulator) == 1


async def test_a_request_that_arrives_twice_opens_one_case() -> None:
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/issues", "kind": "duplicate"})
        await step.run(call())

    assert opened(simulator) == 1


async def test_a_throttled_request_is_repeated_by_itself() -> None:
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/issues", "kind": "429", "after_s": 0})
        await step.run(call())

    assert opened(simulator) == 1


async def test_the_lookup_answers_in_doubt() -> None:
    async with desk() as (step, simulator):
        assert await step.lookup(call()) is None
        simulator.faults.add({"match": "POST /api/issues", "kind": "timeout_after"})
        with pytest.raises(OutcomeUnknown):
            await step.run(call())

        found = await step.lookup(call())

    assert found is not None
    assert found["id"] == "SUP-331"


async def test_a_key_for_another_case_is_refused() -> None:
    async with desk() as (step, _):
        await step.run(call())
        with pytest.raises(Conflict):
            await step.run(call(reason="too small"))


async def test_without_the_key_the_same_fault_doubles_the_effect() -> None:
    """The sabotaged twin: every try with a key of its own."""
    async with desk() as (step, simulator):
        simulator.faults.add({"match": "POST /api/issues", "kind": "timeout_after"})
        with pytest.raises(OutcomeUnknown):
            await step.run(call(key="try-1"))
        await step.run(call(key="try-2"))

    assert opened(simulator) == 2
