"""What systems say of one order: contradictions are found, silence is none."""

from __future__ import annotations

import pytest

from deskhub.actions.reconcile import Told, disagreements, reconcile_view
from deskhub.errors import Invalid
from deskhub_sdk.records import Money, OrderFacts
from tests.actions.five import LI_WEI


def cny(amount):
    return Money(amount, "CNY")


def shop(**facts):
    return OrderFacts(system="Shop", **facts)


def money(refunded="0.00", paid="428.00"):
    return OrderFacts(system="Payments", paid=cny(paid), refunded=cny(refunded))


def books(**facts):
    return OrderFacts(system="Accounting", **facts)


@pytest.mark.parametrize(
    ("told", "texts"),
    [
        ({"shop": shop(status="delivered", paid=cny("428.00")), "pay": money()}, []),
        ({"shop": shop(), "pay": money("399.00")}, []),
        (
            {"shop": shop(refunded=cny("399.00")), "pay": money()},
            ["Shop: ¥399.00 refunded; Payments: no refund found."],
        ),
        (
            {"shop": shop(status="cancelled"), "pay": money("28.00")},
            ["Shop: cancelled; Payments: ¥400.00 kept."],
        ),
        ({"shop": shop(status="cancelled"), "pay": money("428.00")}, []),
        (
            {"shop": shop(paid=cny("428.00")), "pay": money(paid="400.00")},
            ["Shop: ¥428.00 paid; Payments: ¥400.00 paid."],
        ),
        (
            {"erp": books(credited=cny("20.00")), "pay": money("399.00")},
            ["Accounting: ¥20.00 credited; Payments: ¥399.00 refunded."],
        ),
        ({"erp": books(credited=cny("399.00")), "pay": money("399.00")}, []),
        (
            {"shop": shop(returned=2), "erp": books(returned=1)},
            ["Shop: 2 pieces on return; Accounting: 1 piece on return."],
        ),
        ({"shop": shop(returned=2)}, []),
        ({}, []),
    ],
)
def test_what_cannot_all_be_true_is_said_in_one_sentence(told, texts):
    assert [one.text for one in disagreements(told)] == texts


def test_only_money_that_is_missing_can_be_mended_with_money():
    less = {"shop": shop(refunded=cny("399.00")), "pay": money()}
    more = {"shop": shop(refunded=cny("20.00")), "pay": money("399.00")}

    assert disagreements(less)[0].mend == "order.refund@1"
    assert disagreements(more)[0].mend is None


def test_a_system_that_does_not_answer_is_shown_and_contradicts_nobody():
    view = reconcile_view(
        "orders:1042",
        [Told("shop", "ok", shop(refunded=cny("5.00"))), Told("pay", "late", None, "Timeout")],
    )

    assert [(one["instance"], one["state"]) for one in view["systems"]] == [
        ("shop", "ok"), ("pay", "late"),
    ]  # fmt: skip
    assert view["disagreements"] == []


async def test_an_agent_compares_the_orders_of_the_own_conversation(desk):
    async def facts(tenant, order):
        return [
            ("orders", "ok", shop(refunded=cny("399.00")), ""),
            ("payments", "ok", money(), ""),
        ]

    desk.around.order_facts = facts

    view = await desk.actions.reconcile(LI_WEI, "orders:1042", desk.conversation)

    assert view["disagreements"] == [
        {
            "text": "Shop: ¥399.00 refunded; Payments: no refund found.",
            "systems": ["orders", "payments"],
            "mend": {"type": "order.refund@1", "object": "orders:1042"},
        }
    ]
    with pytest.raises(Invalid):
        await desk.actions.reconcile(LI_WEI, "orders:9999", desk.conversation)
