"""Returns, refunds, cancellations: once, in doubt, refused, under way."""

from __future__ import annotations

import pytest

from deskhub_orders_shopify.answers import RefundAnswer
from deskhub_orders_shopify.cancelling import CancelOrder
from deskhub_orders_shopify.documents import REFUND, Document
from deskhub_orders_shopify.refunding import CancelRefund, GoodwillRefund, Refund
from deskhub_orders_shopify.returning import CreateReturn
from deskhub_sdk import (
    Conflict,
    NeedsPerson,
    NotSent,
    OrderId,
    OutcomeUnknown,
    Preview,
    Refusal,
    Rejected,
    Throttled,
)

MOVES = [(CreateReturn, "CreateReturn", "return_created"), (Refund, "Refund", "refund_created")]


async def test_a_return_twice_is_one_return(given):
    step, call = CreateReturn(given.adapter), given.call()

    shown = await step.preview(call)
    first, second = await step.run(call), await step.run(call)

    assert isinstance(shown, Preview)
    assert [(c.before, c.after) for c in shown.changes] == [("1", "0")]
    assert first == second
    assert first["rma_id"] == "#1042-R1"
    assert given.effects() == {"return_created": 1}


async def test_without_looking_first_a_return_is_made_twice(given):
    """The sabotaged twin: Shopify takes no key for a return, so a client that only sends has two."""
    client, call = given.adapter.client, given.call(number="1063")
    can = await client.returnable(OrderId("1063"))
    sent = can.lines()[0].fulfillment_line_item.id

    for _ in range(2):
        await client.create_return(OrderId("1063"), {sent: 1}, None, f"x deskhub:{call.key}")

    assert given.effects() == {"return_created": 2}


async def test_undo_cancels_the_return_once(given):
    step, call = CreateReturn(given.adapter), given.call()
    fact = await step.run(call)

    await step.undo(call, fact)
    await step.undo(call, fact)

    assert await step.lookup(call) is None
    assert given.effects() == {"return_created": 1, "return_cancelled": 1}


async def test_a_return_that_somebody_closed_is_not_undone(given):
    step, call = CreateReturn(given.adapter), given.call()
    fact = await step.run(call)
    given.order()["_returns"][0]["status"] = "CLOSED"

    with pytest.raises(Rejected, match="not open"):
        await step.undo(call, fact)


async def test_what_is_on_a_return_already_is_refused_and_then_a_conflict(given):
    step = CreateReturn(given.adapter)
    await step.run(given.call())

    refused = await step.preview(given.call(key="dh_r2_step"))
    with pytest.raises(Conflict):
        await step.run(given.call(key="dh_r2_step"))

    assert isinstance(refused, Refusal)
    assert given.effects() == {"return_created": 1}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("1051", "尚未发出"),
        ("1226", "订单已取消"),
        ("1203", "已退货"),
        ("1017", "已超过退货期限"),
    ],
)
async def test_why_nothing_comes_back_is_said_in_the_agents_language(given, number, said):
    given.ctx.language = "zh-CN"

    refused = await CreateReturn(given.adapter).preview(given.call(number=number))

    assert isinstance(refused, Refusal)
    assert said in refused.text


async def test_a_key_that_begins_like_another_is_another(given):
    step = CreateReturn(given.adapter)
    await step.run(given.call(key="dh_r1_step1"))

    assert await step.lookup(given.call(key="dh_r1_step")) is None


async def test_a_refund_twice_is_one_refund_and_says_what_is_left(given):
    step, call = Refund(given.adapter), given.call()

    before = await step.preview(call)
    first, second = await step.run(call), await step.run(call)
    after = await step.preview(given.call(key="dh_r2"))

    assert first == second
    assert first["amount"] == "399.00"
    assert (before.changes[0].before, before.changes[0].after) == ("¥428.00", "¥29.00")
    assert isinstance(after, Refusal)
    assert after.code == "over_refund"
    assert given.effects() == {"refund_created": 1}


async def test_shopify_has_forgotten_the_key_and_it_is_still_one_refund(given):
    step, call = GoodwillRefund(given.adapter), given.call("order.refund@1", "1063")
    await step.run(call)
    given.shop.forget_keys()

    await step.run(call)

    assert given.effects() == {"refund_created": 1}


async def test_another_key_is_another_refund(given):
    """The sabotaged twin of both: a client that makes a new key each time pays twice."""
    step = GoodwillRefund(given.adapter)

    for key in ("dh_a", "dh_b"):
        await step.run(given.call("order.refund@1", "1063", key))

    assert given.effects() == {"refund_created": 2}


async def test_a_request_that_a_proxy_sends_twice_is_one_refund(given):
    given.fault("Refund", "duplicate")

    await Refund(given.adapter).run(given.call())

    assert given.effects() == {"refund_created": 1}


async def test_the_same_key_with_another_amount_is_refused(given):
    client, call = given.adapter.client, given.call(number="1063")
    money = await client.money_of(OrderId("1063"))
    (payment, _) = money.left()[0]
    for amount in ("1.00", "2.00"):
        part = {
            "orderId": money.id, "parentId": payment.id, "gateway": payment.gateway,
            "kind": "REFUND", "amount": amount,
        }  # fmt: skip
        ask = client.refund(
            OrderId("1063"), [part], call.subject.amount, note="same", key=call.key
        )
        if amount == "1.00":
            await ask
        else:
            with pytest.raises(Rejected, match="MISMATCH"):
                await ask
    assert given.effects() == {"refund_created": 1}


@pytest.mark.parametrize(("kind", "operation", "effect"), MOVES)
async def test_a_lost_answer_is_unknown_and_is_found(given, kind, operation, effect):
    step, call = kind(given.adapter), given.call()
    given.fault(operation, "timeout_after")

    with pytest.raises(OutcomeUnknown):
        await step.run(call)

    found = await step.lookup(call)
    assert found == await step.run(call)
    assert given.effects() == {effect: 1}


@pytest.mark.parametrize(("kind", "operation", "effect"), MOVES)
async def test_a_lost_request_is_unknown_too_and_there_is_nothing(
    given, kind, operation, effect
):
    step, call = kind(given.adapter), given.call()
    given.fault(operation, "timeout_before")

    with pytest.raises(OutcomeUnknown):
        await step.run(call)

    assert await step.lookup(call) is None
    await step.run(call)
    assert given.effects() == {effect: 1}


@pytest.mark.parametrize("kind", ["500", "malformed"])
@pytest.mark.parametrize(("step", "operation", "effect"), MOVES)
async def test_an_answer_that_is_none_is_unknown(given, kind, step, operation, effect):
    given.fault(operation, kind)

    with pytest.raises(OutcomeUnknown):
        await step(given.adapter).run(given.call())


@pytest.mark.parametrize(("step", "operation", "effect"), MOVES)
async def test_an_error_beside_the_effect_is_unknown_and_found(given, step, operation, effect):
    given.shop.errors = [(operation, "INTERNAL_SERVER_ERROR", True)]
    call = given.call()

    with pytest.raises(OutcomeUnknown):
        await step(given.adapter).run(call)

    assert await step(given.adapter).lookup(call) is not None
    assert given.effects() == {effect: 1}


@pytest.mark.parametrize(
    ("code", "error"), [("ACCESS_DENIED", Rejected), ("BAD_REQUEST", Rejected)]
)
async def test_what_was_refused_before_anything_was_done_is_final(given, code, error):
    given.shop.errors = [("Refund", code, False)]

    with pytest.raises(error):
        await Refund(given.adapter).run(given.call())
    assert given.effects() == {}


async def test_a_mutation_that_is_throttled_had_no_effect_and_is_not_in_doubt(given):
    given.shop.errors = [("Refund", "THROTTLED", False)]
    step, call = Refund(given.adapter), given.call()

    with pytest.raises((Throttled, NotSent)):
        await step.run(call)
    await step.run(call)

    assert given.effects() == {"refund_created": 1}


async def test_a_shop_that_cannot_be_asked_leaves_nothing_in_doubt(given):
    given.fault("Money", "500", times=2)

    with pytest.raises(NotSent):
        await Refund(given.adapter).run(given.call())
    assert given.effects() == {}


async def test_a_provider_that_refuses_is_a_case_for_a_person(given):
    given.shop.provider = "FAILURE"
    step, call = Refund(given.adapter), given.call()

    with pytest.raises(NeedsPerson, match="payment provider"):
        await step.run(call)

    assert await step.lookup(call) is None
    with pytest.raises(NeedsPerson):
        await step.run(call)
    assert given.effects() == {"refund_created": 1}


async def test_a_provider_that_is_at_it_is_said_so(given):
    given.shop.provider = "PENDING"

    fact = await Refund(given.adapter).run(given.call())

    assert fact["pending"] is True
    assert "at it" in fact["text"]


async def test_a_refund_without_the_directive_is_refused(given):
    """The sabotaged twin: the document without ``@idempotent`` is none that may be sent."""
    bare = Document("Refund", REFUND.text.replace("@idempotent(key: $key)", ""), 10)

    with pytest.raises(Rejected):
        await given.adapter.client.change(bare, RefundAnswer, {"key": "k", "input": {}})
    assert given.effects() == {}


async def test_the_money_goes_back_before_the_order_is_cancelled(given):
    refund, cancel = CancelRefund(given.adapter), CancelOrder(given.adapter)
    call = given.call("order.cancel@1", "1051")
    assert isinstance(await refund.preview(call), Preview)
    assert isinstance(await cancel.preview(call), Preview)

    await refund.run(call)
    first, second = await cancel.run(call), await cancel.run(call)

    assert first == second
    assert await cancel.lookup(call) == first
    assert given.effects() == {"refund_created": 1, "order_cancelled": 1}
    assert "refunded" in CancelOrder.spec.needs


async def test_a_cancellation_that_takes_its_time_is_run_again_and_happens_once(given):
    given.shop.slow_jobs = True
    step, call = CancelOrder(given.adapter), given.call("order.cancel@1", "1051")

    for _ in range(2):
        with pytest.raises(NotSent, match="come to it"):
            await step.run(call)
    assert await step.lookup(call) is None
    await given.press("work")

    assert await step.run(call)
    assert await step.lookup(call) is not None
    assert given.effects() == {"order_cancelled": 1}


async def test_an_order_that_left_cannot_be_cancelled(given):
    call = given.call("order.cancel@1", "1042")

    for kind in (CancelRefund, CancelOrder):
        refused = await kind(given.adapter).preview(call)
        assert isinstance(refused, Refusal)
        assert refused.code == "too_late"
    with pytest.raises(Rejected, match="outstanding fulfillments"):
        await CancelOrder(given.adapter).run(call)
    assert given.effects() == {}


async def test_an_order_that_shopify_does_not_know_is_refused(given):
    del given.shop.records.orders["gid://shopify/Order/1042"]

    for kind, action in ((CreateReturn, "order.return@1"), (CancelOrder, "order.cancel@1")):
        assert (await kind(given.adapter).preview(given.call(action))).code == "order_unknown"
    assert (await Refund(given.adapter).preview(given.call())).code == "not_paid"
