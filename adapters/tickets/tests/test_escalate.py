"""An escalation opens one case with the transcript, and can be taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deskhub_sdk import Customer, CustomerId, Preview, StepCall, Subject, TenantId
from deskhub_sdk.testing import given_context
from deskhub_tickets import Tickets, TicketsConfig
from deskhub_tickets.escalate import Escalate
from deskhub_tickets.simulator import TicketsSimulator

PERSON = Customer(id=CustomerId("u_1"), tenant=TenantId("main"), subject="C-1001")


def call(customer: Customer | None = PERSON) -> StepCall:
    subject = Subject(
        reason="urgent",
        summary="Lamp hums",
        note="Since yesterday",
        transcript="https://hub/console/#/c/c_7",
    )
    return StepCall(
        action="ticket.escalate@1", run="r1", key="dh_r1_escalated", subject=subject, facts={},
        customer=customer, conversation="c_7",
    )  # fmt: skip


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[Escalate, TicketsSimulator]]:
    async with (
        TicketsSimulator().serving() as simulator,
        given_context(instance="tickets", timeout_s=0.5) as ctx,
    ):
        settings = {"base_url": simulator.url, "token": "t", "webhook_secret": "w"}
        tickets = Tickets(TicketsConfig.model_validate(settings))
        await tickets.start(ctx)
        yield Escalate(tickets), simulator


def effects(simulator: TicketsSimulator) -> dict[str, int]:
    return {kind: sum(keys.values()) for kind, keys in simulator.effects.items()}


async def test_the_preview_shows_the_case_and_opens_none() -> None:
    async with desk() as (step, simulator):
        shown = await step.preview(call())

    assert isinstance(shown, Preview)
    assert [c.after for c in shown.changes] == ["Lamp hums", "Escalations"]
    assert effects(simulator) == {}


async def test_twice_is_one_case_with_the_transcript() -> None:
    async with desk() as (step, simulator):
        first, second = await step.run(call()), await step.run(call())
        case = simulator.records.by_reference("dh_r1_escalated")[0]

    assert first == second
    assert effects(simulator) == {"case_opened": 1}
    assert "https://hub/console/#/c/c_7" in case["body"]
    assert (case["customer"], case["conversation"], case["links"]) == ("C-1001", "c_7", [])


async def test_undo_closes_the_case_once() -> None:
    async with desk() as (step, simulator):
        fact = await step.run(call())
        await step.undo(call(), fact)
        await step.undo(call(), fact)
        found = await step.lookup(call())

    assert found is None
    assert effects(simulator) == {"case_opened": 1, "case_changed": 1}


async def test_somebody_unknown_can_be_escalated_too() -> None:
    async with desk() as (step, simulator):
        await step.run(call(customer=None))

    assert simulator.records.by_reference("dh_r1_escalated")[0]["customer"] is None
