"""The form of a return: the order says what it costs, and every mistake has its field."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from deskhub.actions.forms import MAX_NOTE, About, check_form, form_view
from deskhub.actions.kinds import ORDER_RETURN
from deskhub.actions.ports import Setting
from deskhub.actions.subject import Objects
from deskhub.errors import Invalid
from deskhub_sdk.records import Customer, Money
from tests.actions.five import ORDER

GOOD = {
    "object": "orders:1042",
    "lines": [{"line": "1", "quantity": 2}],
    "reason": "damaged",
    "note": " wet box ",
    "message": "",
}


def problems_of(form, order=ORDER):
    with pytest.raises(Invalid) as caught:
        check_form(ORDER_RETURN, form, About("orders:1042", order))
    return {(field["path"], field["code"]) for field in caught.value.fields}


def test_amounts_come_from_the_order():
    wanted = check_form(ORDER_RETURN, GOOD, About("orders:1042", ORDER))

    assert wanted.subject.amount == Money("399.00", "CNY")
    assert wanted.subject.lines[0].amount == Money("399.00", "CNY")
    assert wanted.subject.note == "wet box"


def test_an_amount_from_the_browser_is_refused_where_it_stands():
    form = GOOD | {"amount": "9999.00", "lines": [{"line": "1", "quantity": 1, "amount": "1"}]}

    assert problems_of(form) == {
        ("amount", "unknown_field"),
        ("lines.0.amount", "unknown_field"),
    }


def test_every_mistake_is_reported_at_once():
    form = {
        "object": "orders:1042",
        "lines": [{"line": "1", "quantity": 3}, {"line": "2", "quantity": 1}],
        "reason": "because",
        "note": "x" * (MAX_NOTE + 1),
    }

    assert problems_of(form) == {
        ("lines.0.quantity", "range"),
        ("lines.1.line", "blocked"),
        ("reason", "choice"),
        ("note", "too_long"),
    }


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], ("lines", "required")),
        ("1", ("lines", "required")),
        (None, ("lines", "required")),
        ([1], ("lines.0", "type")),
        ([{"line": "7", "quantity": 1}], ("lines.0.line", "unknown_line")),
        ([{"line": "1", "quantity": 0}], ("lines.0.quantity", "range")),
        ([{"line": "1", "quantity": -1}], ("lines.0.quantity", "range")),
        ([{"line": "1", "quantity": True}], ("lines.0.quantity", "type")),
        ([{"line": "1", "quantity": "1"}], ("lines.0.quantity", "type")),
        ([{"line": "1", "quantity": 1}] * 2, ("lines.1.line", "twice")),
        ([{"line": "1", "quantity": 1}] * 3, ("lines", "too_many")),
    ],
)
def test_lines_are_checked_one_by_one(lines, problem):
    assert problem in problems_of(GOOD | {"lines": lines})


def test_no_more_than_what_was_paid_can_go_back():
    order = msgspec.structs.replace(ORDER, refunded=Money("100.00", "CNY"))

    assert problems_of(GOOD, order) == {("lines", "over_refundable")}


def test_the_form_says_what_is_blocked_and_why():
    form = form_view(ORDER_RETURN, About("orders:1042", ORDER))

    assert [line["blocked"] for line in form["lines"]] == [None, "Final sale"]
    assert form["max"] == {"money": "428.00", "currency": "CNY"}
    assert form["title"] == "Return from order #1042"
    assert form["subtitle"] == "Paid ¥428.00 by Alipay"


@dataclass
class Shop:
    """The order system behind `orders@1`."""

    async def get_orders(self, ids):
        return {one: ORDER for one in ids if one == "1042"}

    async def orders_of(self, subjects):
        return {"C-1001": ["1042"]}


@dataclass
class Around:
    """A hub with one shop."""

    def orders(self, tenant):
        return ("orders", Shop())


def setting(subject, links=()):
    customer = None
    if subject is not None:
        customer = Customer(id="u_1", tenant="main", subject=subject)
    return Setting("c_1", "main", "shop", "v_1", "en", customer, links)


@pytest.mark.parametrize(
    ("object_", "who", "code"),
    [
        ("orders:9999", setting("C-1001"), "unknown_object"),
        ("crm:1042", setting("C-1001"), "unknown_object"),
        ("orders:", setting("C-1001"), "unknown_object"),
        ("orders:1042", setting("C-1002"), "foreign_object"),
        ("orders:1042", setting(None), "foreign_object"),
    ],
)
async def test_an_order_that_does_not_belong_here_is_refused(object_, who, code):
    with pytest.raises(Invalid) as caught:
        await Objects(Around()).order(who, object_)

    assert caught.value.fields[0]["code"] == code


async def test_a_linked_order_belongs_here_whoever_bought_it():
    found = await Objects(Around()).order(setting(None, ("orders:1042",)), "orders:1042")

    assert found == ORDER


async def test_the_orders_of_a_conversation_are_the_linked_and_the_customers():
    found = await Objects(Around()).orders_here(setting("C-1001"))

    assert list(found) == ["orders:1042"]
