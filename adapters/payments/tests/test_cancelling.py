"""Cancellation and goodwill move money once, like a return, and nothing where none was paid."""

from __future__ import annotations

import pytest

from deskhub_payments import client
from deskhub_payments.cancelling import CancelRefund, GoodwillRefund
from deskhub_sdk import OutcomeUnknown, Preview, Refusal


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(client, "REFUND_S", 0.5)


@pytest.mark.parametrize("kind", [CancelRefund, GoodwillRefund])
async def test_twice_is_one_refund(given, call, kind):
    step, made = kind(given.adapter), call(amount="20.00")

    assert await step.run(made) == await step.run(made) == await step.lookup(made)
    assert given.effects() == {"refund": 1}


@pytest.mark.parametrize("kind", [CancelRefund, GoodwillRefund])
async def test_a_lost_answer_is_found_and_not_repeated(given, call, kind):
    step, made = kind(given.adapter), call(amount="20.00")
    given.fault(kind="timeout_after", match="POST *")

    with pytest.raises(OutcomeUnknown):
        await step.run(made)

    assert await step.lookup(made) == await step.run(made)
    assert given.effects() == {"refund": 1}


async def test_what_nobody_paid_needs_nothing(given, call):
    step, made = CancelRefund(given.adapter), call(amount="0.00")

    assert isinstance(await step.preview(made), Preview)
    assert await step.run(made) == await step.lookup(made)
    assert given.effects() == {}


async def test_goodwill_is_at_most_what_is_left(given, call):
    assert isinstance(
        await GoodwillRefund(given.adapter).preview(call("1042", "429.00")), Refusal
    )
