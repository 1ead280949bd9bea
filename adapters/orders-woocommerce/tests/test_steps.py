"""Returns, cancellations and refunds happen once in a shop that knows no keys."""

from __future__ import annotations

import pytest

from deskhub_orders_woocommerce.steps import (
    AcceptReturn,
    CancelOrder,
    RefundCancelled,
    RefundReturn,
)
from deskhub_sdk import (
    AuthRequired,
    Conflict,
    Money,
    NotSent,
    OrderId,
    OutcomeUnknown,
    Preview,
    Rejected,
    Throttled,
)


async def test_a_return_stands_at_the_order_and_takes_its_pieces(given):
    step = AcceptReturn(given.adapter)

    preview = await step.preview(given.call())
    first = await step.run(given.call())
    again = await step.run(given.call())

    assert isinstance(preview, Preview)
    assert (preview.changes[0].before, preview.changes[0].after) == ("1", "0")
    assert first == again == await step.lookup(given.call())
    order = await given.adapter.fresh(OrderId("1042"))
    assert (order.lines[0].returnable, order.lines[0].note) == (0, "Already returned")
    left = [one for one in given.sim.shop.orders[1042]["meta_data"] if "dh_" in one["key"]]
    assert len(left) == 1


async def test_two_returns_of_one_order_do_not_overwrite_each_other(given):
    given.sim.shop.orders[1042]["line_items"][0]["quantity"] = 3
    step = AcceptReturn(given.adapter)

    await step.run(given.call(key="dh_r1"))
    await step.run(given.call(key="dh_r2"))
    await step.undo(given.call(key="dh_r1"), {})
    await step.undo(given.call(key="dh_r1"), {})

    order = await given.adapter.fresh(OrderId("1042"))
    assert order.lines[0].returnable == 2
    assert await step.lookup(given.call(key="dh_r1")) is None


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"pieces": 2}, "not_returnable"),
        ({"order": "1051"}, "not_returnable"),
        ({"order": "9999"}, "order_unknown"),
    ],
)
async def test_what_cannot_come_back_is_refused(given, asked, code):
    assert (await AcceptReturn(given.adapter).preview(given.call(**asked))).code == code


async def test_a_cancellation_is_taken_back_to_the_status_before(given):
    step, call = CancelOrder(given.adapter), given.call(order="1051")

    fact = await step.run(call)
    assert await step.run(call) == fact == await step.lookup(call)
    cancelled = given.sim.shop.orders[1051]["status"]
    await step.undo(call, fact)
    await step.undo(call, fact)

    assert (cancelled, given.sim.shop.orders[1051]["status"]) == ("cancelled", "processing")
    assert given.count("changed") == 2
    assert await step.lookup(call) is None


async def test_an_order_that_left_meanwhile_is_not_cancelled(given):
    step, call = CancelOrder(given.adapter), given.call(order="1051")
    await given.does("advance", order=1051)

    assert (await step.preview(call)).code == "shipped"
    with pytest.raises(Conflict):
        await step.run(call)
    assert given.count("changed") == 0


async def test_the_same_refund_twice_is_one(given):
    step = RefundReturn(given.adapter)

    first = await step.run(given.call())

    assert await step.run(given.call()) == first == await step.lookup(given.call())
    assert given.count("refund") == 1
    assert given.sim.shop.refunds[1042][0]["reason"] == "damaged [dh_r1_step]"


async def test_without_the_look_up_the_shop_pays_twice(given):
    """The sabotaged twin: the shop itself knows no keys."""
    for _ in range(2):
        await given.adapter.client.refund(
            OrderId("1042"), Money("10.00", "CNY"), reason="x", key="dh_k"
        )

    assert given.count("refund") == 2


async def test_a_lost_answer_is_looked_up_and_not_repeated(given):
    step = RefundReturn(given.adapter)
    given.fault("timeout_after", "POST *refunds")

    with pytest.raises(OutcomeUnknown):
        await step.run(given.call())

    assert await step.lookup(given.call()) == await step.run(given.call())
    assert given.count("refund") == 1


async def test_a_refund_is_found_on_the_third_page(given):
    step = RefundReturn(given.adapter)
    first = await step.run(given.call("1.00"))
    for _ in range(210):
        given.sim.shop.put_refund(1042, "0.01", "")

    assert await step.lookup(given.call("1.00")) == first


async def test_a_refusal_that_comes_as_500_is_unknown_until_it_is_looked_up(given):
    given.sim.shop.gateway_is_down = True
    step = RefundReturn(given.adapter)

    with pytest.raises(OutcomeUnknown):
        await step.run(given.call())

    assert await step.lookup(given.call()) is None
    assert given.count("refund") == 0


async def test_what_the_back_office_refunded_is_a_conflict(given):
    await given.does("refund", order=1042, amount="300.00")

    with pytest.raises(Conflict):
        await RefundReturn(given.adapter).run(given.call())


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"amount": "428.01"}, "over_refund"),
        ({"currency": "USD"}, "other_currency"),
        ({"amount": "0.00"}, "nothing"),
        ({"order": "9999"}, "order_unknown"),
    ],
)
async def test_what_cannot_be_refunded_is_refused(given, asked, code):
    step = RefundReturn(given.adapter)

    assert (await step.preview(given.call(**asked))).code == code
    with pytest.raises((Rejected, Conflict)):
        await step.run(given.call(**asked))
    assert given.count("refund") == 0


@pytest.mark.parametrize(
    ("kind", "match", "error"),
    [
        ("500", "GET *", NotSent),
        ("malformed", "POST *", OutcomeUnknown),
        ("429", "POST *", Throttled),
        ("401", "POST *", AuthRequired),
    ],
)
async def test_what_the_shop_does_wrong_has_a_name(given, kind, match, error):
    given.fault(kind, match, times=0, after_s=5)

    with pytest.raises(error):
        await RefundReturn(given.adapter).run(given.call())
    assert given.count("refund") == 0


async def test_of_nothing_there_is_nothing_to_refund(given):
    step, call = RefundCancelled(given.adapter), given.call("0.00", order="1051")

    assert isinstance(await step.preview(call), Preview)
    assert await step.run(call) == await step.lookup(call)
    assert given.count("refund") == 0


async def test_money_that_is_only_noted_does_not_reach_the_gateway(given):
    given.sim.shop.gateway_is_down = True
    config = given.adapter.config.model_copy(update={"refund_payment": False})
    given.adapter.client._config = config

    assert (await RefundReturn(given.adapter).run(given.call()))["amount"] == "399.00"
