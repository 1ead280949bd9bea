"""Cancelling before shipment: once, undone, refused, in doubt."""

from __future__ import annotations

import pytest

from deskhub_orders.cancel import CancelOrder
from deskhub_sdk import Conflict, OutcomeUnknown, Preview, Refusal


def packed(given) -> str:
    """Return an order of the world that has not left."""
    return next(n for n, o in given.shop.records.orders.items() if o["status"] == "packed")


async def test_the_preview_changes_nothing(given):
    number = packed(given)

    shown = await CancelOrder(given.adapter).preview(await given.call(number))

    assert isinstance(shown, Preview)
    assert (shown.changes[0].before, shown.changes[0].after) == ("Packed", "Cancelled")
    assert given.effects() == {}


@pytest.mark.parametrize(("order", "code"), [("1042", "shipped"), ("1226", "cancelled")])
async def test_what_has_left_is_refused(given, order, code):
    refused = await CancelOrder(given.adapter).preview(await given.call(order))

    assert isinstance(refused, Refusal)
    assert refused.code == code


async def test_twice_is_one_cancellation(given):
    step, call = CancelOrder(given.adapter), await given.call(packed(given))

    first, second = await step.run(call), await step.run(call)

    assert first == second
    assert given.effects() == {"order_cancelled": 1}
    assert await step.lookup(call) == first


async def test_undo_lets_the_order_go_on_and_repeating_it_does_not_hurt(given):
    number = packed(given)
    step, call = CancelOrder(given.adapter), await given.call(number)
    fact = await step.run(call)

    await step.undo(call, fact)
    await step.undo(call, fact)

    assert given.shop.records.orders[number]["status"] == "packed"
    assert given.effects() == {"order_cancelled": 1, "order_reinstated": 1}
    assert await step.lookup(call) is None


async def test_a_lost_answer_is_found_by_its_key(given):
    step, call = CancelOrder(given.adapter), await given.call(packed(given))
    given.fault(kind="timeout_after", match="POST *")

    with pytest.raises(OutcomeUnknown):
        await step.run(call)

    assert await step.lookup(call) == await step.run(call)
    assert given.effects() == {"order_cancelled": 1}


async def test_an_order_that_left_meanwhile_is_a_conflict(given):
    number = packed(given)
    call = await given.call(number)
    await given.press("ship", number)

    with pytest.raises(Conflict):
        await CancelOrder(given.adapter).run(call)
