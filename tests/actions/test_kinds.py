"""Cancel, refund and escalate: other forms and slots on the same engine."""

from __future__ import annotations

import json

import msgspec
import pytest

from deskhub.actions.planner import Offer
from deskhub.errors import Invalid
from deskhub_sdk.records import Money
from tests.actions.five import LI_WEI, ORDER, System, spec

MORE = (
    ("orders", "CancelOrder", "cancelled", "compensable", (), "order.cancel@1"),
    ("payments", "CancelRefund", "refunded", "pivot", ("cancelled",), "order.cancel@1"),
    ("payments", "Goodwill", "refunded", "pivot", (), "order.refund@1"),
    ("tickets", "Escalate", "escalated", "compensable", (), "ticket.escalate@1"),
    ("orders", "AuthorizeExchange", "authorized", "compensable", (), "order.exchange@1"),
    ("erp", "SetAside", "reserved", "compensable", (), "order.exchange@1"),
    (
        "orders",
        "Replace",
        "replaced",
        "compensable",
        ("authorized", "reserved"),
        "order.exchange@1",
    ),
    ("payments", "ExchangeRefund", "refunded", "pivot", ("replaced",), "order.exchange@1"),
)


@pytest.fixture
def more(desk):
    """Give the five systems the steps of the other kinds."""
    for instance, name, provides, kind, needs, action in MORE:
        offer = Offer(instance, spec(name, provides, kind, "key", needs, action), "1")
        desk.five.offered.append(offer)
        desk.five.systems[name] = System("key")
    return desk


EXCHANGE = {
    "object": "orders:1042", "lines": [{"line": "1", "quantity": 2}], "instead": "TS-42",
    "reason": "does_not_fit",
}  # fmt: skip


async def done(desk, type_, form):
    plan = await desk.actions.plan(LI_WEI, type_, desk.conversation, form)
    run = await desk.actions.confirm(LI_WEI, plan["id"], plan["digest"])
    return plan, await desk.ended(run)


def packed(desk, **changes):
    order = msgspec.structs.replace(ORDER, status="packed", **changes)
    desk.around.shop.orders["1042"] = order


async def test_an_order_is_cancelled_before_it_leaves(more):
    packed(more)

    plan, view = await done(
        more, "order.cancel@1", {"object": "orders:1042", "reason": "changed_mind"}
    )

    assert plan["title"] == "Cancel order #1042"
    assert plan["confirm_label"] == "Cancel and refund ¥428.00"
    assert [step["provides"] for step in view["steps"]] == ["cancelled", "refunded"]
    assert view["sentence"] == "The order is cancelled; ¥428.00 went back to the customer."
    cards = [json.loads(row.data)["card"] for row in await more.events("card.shown")]
    assert cards[-1]["badge"]["text"] == "您的订单已取消，款项已退回"


async def test_an_order_nobody_paid_is_cancelled_without_money(more):
    packed(more, payment=None)

    form = {"object": "orders:1042", "reason": "changed_mind"}
    plan = await more.actions.plan(LI_WEI, "order.cancel@1", more.conversation, form)

    assert plan["confirm_label"] == "Cancel the order"


async def test_what_has_left_is_not_offered_and_cannot_be_cancelled(more):
    offered = await more.actions.available(LI_WEI, more.conversation)

    assert "order.cancel@1" not in {one["type"] for one in offered}
    with pytest.raises(Invalid) as caught:
        await done(more, "order.cancel@1", {"object": "orders:1042", "reason": "too_slow"})
    assert caught.value.fields[0]["code"] == "too_late"


async def test_a_refused_payment_lets_the_order_go_on(more):
    packed(more)
    more.five.systems["CancelRefund"].faults = ["refused"]

    _, view = await done(
        more, "order.cancel@1", {"object": "orders:1042", "reason": "changed_mind"}
    )

    assert view["state"] == "compensated"
    assert more.five.systems["CancelOrder"].net == 0


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("", "required"),
        (None, "required"),
        (20, "required"),
        ("20,00", "type"),
        ("0.00", "range"),
        ("-5.00", "range"),
        ("428.01", "range"),
        ("1.001", "type"),
    ],
)
async def test_an_amount_of_goodwill_is_checked_against_the_order(more, amount, code):
    form = {"object": "orders:1042", "reason": "goodwill", "amount": amount}

    with pytest.raises(Invalid) as caught:
        await more.actions.plan(LI_WEI, "order.refund@1", more.conversation, form)

    assert [(f["path"], f["code"]) for f in caught.value.fields] == [("amount", code)]


async def test_goodwill_shows_what_they_had_before(more):
    form = {"object": "orders:1042", "reason": "goodwill", "amount": "20"}

    plan, view = await done(more, "order.refund@1", form)
    again = await more.actions.form(LI_WEI, "order.refund@1", more.conversation, "orders:1042")

    assert plan["confirm_label"] == "Refund ¥20.00"
    assert view["sentence"] == "The customer has been refunded ¥20.00."
    assert [one["text"] for one in again["history"]] == ["Refund G-1: ¥20.00 refunded"]
    assert again["schema"]["required"] == ["amount", "reason"]
    assert again["max"] == {"money": "428.00", "currency": "CNY"}


async def test_what_was_refunded_in_the_shop_is_history_too(more):
    more.around.shop.orders["1042"] = msgspec.structs.replace(
        ORDER, refunded=Money("28.00", "CNY")
    )

    form = await more.actions.form(LI_WEI, "order.refund@1", more.conversation, "orders:1042")

    assert [one["text"] for one in form["history"]] == ["Order #1042: ¥28.00 refunded"]


async def test_a_conversation_is_escalated_without_order_or_money(more):
    object_ = f"conversation:{more.conversation}"
    form = {"object": object_, "reason": "urgent", "summary": "Lamp hums", "note": "since May"}

    plan, view = await done(more, "ticket.escalate@1", form | {"message": "We look into it."})

    assert plan["amount"] is None
    assert plan["confirm_label"] == "Open the case"
    assert view["state"] == "completed"
    assert view["sentence"] == "A case is open and colleagues have the transcript."
    assert [step["provides"] for step in view["steps"]] == ["escalated", "told"]
    said = [json.loads(row.data)["text"] for row in await more.events("message.posted")]
    assert said[-1] == "We look into it."


async def test_an_order_may_be_named_in_an_escalation(more):
    form = {"object": "orders:1042", "reason": "normal", "summary": "Where is it"}

    plan, view = await done(more, "ticket.escalate@1", form)

    assert plan["title"] == "Escalate with order #1042"
    assert view["object"] == "orders:1042"


async def test_an_escalation_says_what_it_is_about(more):
    form = {"object": f"conversation:{more.conversation}", "reason": "urgent", "summary": " "}

    with pytest.raises(Invalid) as caught:
        await more.actions.plan(LI_WEI, "ticket.escalate@1", more.conversation, form)

    assert [f["path"] for f in caught.value.fields] == ["summary"]


async def test_another_conversation_is_not_this_ones_to_escalate(more):
    form = {"object": "conversation:c_other", "reason": "urgent", "summary": "x"}

    with pytest.raises(Invalid) as caught:
        await more.actions.plan(LI_WEI, "ticket.escalate@1", more.conversation, form)

    assert caught.value.fields[0]["code"] == "unknown_object"


async def test_an_article_is_exchanged_for_another_size_and_the_difference_goes_back(more):
    plan, view = await done(more, "order.exchange@1", EXCHANGE | {"instead": "TS-43"})

    assert plan["title"] == "Exchange from order #1042"
    assert plan["confirm_label"] == "Exchange and refund ¥20.00"
    assert [step["provides"] for step in view["steps"]] == [
        "authorized", "reserved", "replaced", "refunded",
    ]  # fmt: skip
    assert view["sentence"] == (
        "A replacement is ordered for the customer; the difference is ¥20.00."
    )
    cards = [json.loads(row.data)["card"] for row in await more.events("card.shown")]
    assert cards[-1]["badge"]["text"] == "您的换货已登记"
    fields = {field["label"]: field["value"] for field in cards[-1]["blocks"][2]["fields"]}
    assert fields["换成"] == "Trail Shoe 43 × 2"
    assert fields["金额"] == {"money": "20.00", "currency": "CNY"}


async def test_the_same_article_again_moves_no_money(more):
    plan, view = await done(more, "order.exchange@1", EXCHANGE)

    assert plan["confirm_label"] == "Confirm exchange"
    assert view["sentence"] == "A replacement is ordered for the customer."
    cards = [json.loads(row.data)["card"] for row in await more.events("card.shown")]
    assert "金额" not in {field["label"] for field in cards[-1]["blocks"][2]["fields"]}
    assert {moment["text"] for moment in cards[-1]["blocks"][1]["items"]} == {
        "退货已受理", "新商品已下单",
    }  # fmt: skip


async def test_a_refused_replacement_gives_the_reserved_article_back(more):
    more.five.systems["Replace"].faults = ["refused"]

    _, view = await done(more, "order.exchange@1", EXCHANGE)

    assert view["state"] == "compensated"
    assert more.five.systems["SetAside"].net == 0
    assert more.five.systems["AuthorizeExchange"].net == 0


async def test_the_form_offers_what_is_in_stock(more):
    form = await more.actions.form(LI_WEI, "order.exchange@1", more.conversation, "orders:1042")

    assert [one["title"] for one in form["schema"]["properties"]["instead"]["oneOf"]] == [
        "Trail Shoe 42 · ¥199.50 · 14 in stock", "Trail Shoe 43 · ¥189.50 · 3 in stock",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"instead": ""}, ("instead", "required")),
        ({"instead": "MS-1"}, ("instead", "choice")),
        ({"instead": "TS-44"}, ("instead", "out_of_stock")),
        ({"instead": ["TS-43"]}, ("instead", "required")),
        ({"lines": []}, ("lines", "required")),
        ({"amount": "1.00"}, ("amount", "unknown_field")),
    ],
)
async def test_a_wrong_exchange_is_refused_field_by_field(more, changes, problem):
    with pytest.raises(Invalid) as caught:
        await more.actions.plan(
            LI_WEI, "order.exchange@1", more.conversation, EXCHANGE | changes
        )

    assert problem in {(field["path"], field["code"]) for field in caught.value.fields}


async def test_what_is_dearer_needs_a_new_order(more):
    more.around.prices["TS-43"] = "249.50"

    with pytest.raises(Invalid) as caught:
        await done(more, "order.exchange@1", EXCHANGE | {"instead": "TS-43"})

    assert caught.value.fields[0]["code"] == "dearer"
    assert "¥100.00" in caught.value.fields[0]["text"]


async def test_what_was_sold_meanwhile_is_noticed_at_confirmation(more):
    plan = await more.actions.plan(LI_WEI, "order.exchange@1", more.conversation, EXCHANGE)
    more.around.stock["TS-42"] = 1

    with pytest.raises(Invalid) as caught:
        await more.actions.confirm(LI_WEI, plan["id"], plan["digest"])

    assert caught.value.fields[0]["code"] == "out_of_stock"


async def test_an_unpaid_order_is_cancelled_and_nobody_says_refunded(more):
    packed(more, payment=None)

    _, view = await done(more, "order.cancel@1", {"object": "orders:1042", "reason": "other"})

    assert view["sentence"] == "The order is cancelled. Nothing was paid."
    cards = [json.loads(row.data)["card"] for row in await more.events("card.shown")]
    assert cards[-1]["badge"]["text"] == "您的订单已取消"


async def test_waiting_for_goods_concerns_only_what_brings_goods(more):
    more.actions._previews._goods_in = "before_refund"

    _, view = await done(
        more, "order.refund@1", {"object": "orders:1042", "reason": "goodwill", "amount": "5"}
    )

    assert view["state"] == "completed"
