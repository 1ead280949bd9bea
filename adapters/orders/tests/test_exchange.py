"""A replacement is ordered once, and cancelled when the exchange is taken back."""

from __future__ import annotations

import msgspec

from deskhub_orders.exchange import Replace
from deskhub_sdk import Money, Preview, Refusal, ReturnLine


async def exchange(given, *instead):
    call = await given.call()
    subject = msgspec.structs.replace(call.subject, instead=instead)
    return msgspec.structs.replace(call, subject=subject, key="dh_r1_replaced")


OTHER = ReturnLine(
    line="P-0103", sku="TS-43", title="Trail Shoe 43", quantity=1, amount=Money("399.00", "CNY")
)


async def test_the_preview_says_what_would_be_ordered(given):
    shown = await Replace(given.adapter).preview(await exchange(given, OTHER))

    assert isinstance(shown, Preview)
    assert shown.changes[0].after == "Trail Shoe 43 × 1"
    assert given.effects() == {}


async def test_without_an_article_there_is_nothing_to_order(given):
    shown = await Replace(given.adapter).preview(await exchange(given))

    assert isinstance(shown, Refusal)


async def test_twice_is_one_replacement_that_costs_nothing(given):
    step, call = Replace(given.adapter), await exchange(given, OTHER)

    first, second = await step.run(call), await step.run(call)

    assert first == second
    assert given.effects() == {"replacement_ordered": 1}
    made = given.shop.records.orders[first["replacement"]]
    assert (made["customer"], made["status"], made["total"]) == ("C-1001", "paid", "0.00")
    assert [(line["sku"], line["unit_price"]) for line in made["lines"]] == [
        ("TS-43", "399.00")
    ]


async def test_undo_cancels_it_and_repeating_that_does_not_hurt(given):
    step, call = Replace(given.adapter), await exchange(given, OTHER)
    fact = await step.run(call)

    await step.undo(call, fact)
    await step.undo(call, fact)

    assert given.shop.records.orders[fact["replacement"]]["status"] == "cancelled"
    assert given.effects() == {"replacement_ordered": 1, "order_cancelled": 1}
