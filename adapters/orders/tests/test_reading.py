"""Orders are read in batches, and what the shop does wrong has a name."""

from __future__ import annotations

import pytest

from deskhub_sdk import AuthRequired, OrderId, Throttled, Unavailable
from deskhub_sdk.capabilities import Orders as OrdersCapability
from deskhub_sdk.testing.world import FIRST_ORDER, LAST_ORDER

ALL = [OrderId(str(number)) for number in range(FIRST_ORDER, LAST_ORDER + 1)]


async def test_300_orders_are_3_calls(given):
    found = await given.adapter.get_orders(ALL)

    assert len(found) == 300
    assert given.adapter.orders.stats.loads == 300
    assert len([call for call in given.ctx.http.calls if call == "GET /api/orders"]) == 3


async def test_missing_ids_are_absent_and_the_others_there(given):
    found = await given.adapter.get_orders([OrderId("1042"), OrderId("9999")])

    assert list(found) == ["1042"]


async def test_one_bad_id_does_not_hide_the_others(given):
    given.fault(kind="bad_id", match="GET /api/orders", id="1050", times=0)

    found = await given.adapter.get_orders([OrderId("1042"), OrderId("1050"), OrderId("1051")])

    assert set(found) == {"1042", "1051"}


async def test_an_order_says_what_may_come_back_and_why_not(given):
    order = (await given.adapter.get_orders([OrderId("1042")]))[OrderId("1042")]

    shoe, socks = order.lines
    assert (shoe.title, shoe.unit_price.amount, shoe.returnable, shoe.note) == (
        "Trail Shoe 42", "399.00", 1, None,
    )  # fmt: skip
    assert (socks.returnable, socks.note) == (0, "Final sale")
    assert (order.total.amount, order.paid_with, order.payment) == (
        "428.00",
        "Alipay",
        "pay_1042",
    )
    assert [event.state for event in order.events] == ["done"] * 6


async def test_what_is_under_way_shows_the_way_ahead(given):
    order = (await given.adapter.get_orders([OrderId("1051")]))[OrderId("1051")]

    assert [(event.text, event.state) for event in order.events] == [
        ("placed", "done"), ("paid", "done"), ("packed", "current"),
        ("shipped", "todo"), ("transit", "todo"), ("delivered", "todo"),
    ]  # fmt: skip
    assert {line.note for line in order.lines} == {"Not delivered yet"}


async def test_customers_orders_come_newest_first(given):
    found = await given.adapter.orders_of(["C-1001", "C-9999"])

    assert list(found) == ["C-1001"]
    assert found["C-1001"][0] == "1042"
    assert len(found["C-1001"]) == 8


async def test_the_adapter_has_its_capability(given):
    assert isinstance(given.adapter, OrdersCapability)


async def test_a_wrong_token_needs_an_admin(given):
    given.shop.token = "another"

    with pytest.raises(AuthRequired):
        await given.adapter.get_orders([OrderId("1042")])
    with pytest.raises(AuthRequired):
        await given.adapter.check_connection()


async def test_a_shop_that_is_busy_is_asked_again(given):
    given.fault(kind="429", match="GET /api/orders", after_s=0)

    assert await given.adapter.get_orders([OrderId("1042")])
    assert given.ctx.http.calls == ["GET /api/orders"] * 2


async def test_a_shop_that_stays_busy_says_when_to_come_back(given):
    given.fault(kind="429", match="GET /api/orders", after_s=7, times=0)

    with pytest.raises(Throttled) as caught:
        await given.adapter.get_orders([OrderId("1042")])
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("kind", ["500", "timeout_before", "timeout_after"])
async def test_a_shop_that_is_down_is_unavailable(given, kind):
    given.fault(kind=kind, match="GET /api/orders", times=0)

    with pytest.raises(Unavailable):
        await given.adapter.get_orders([OrderId("1042")])


async def test_the_connection_check_asks_the_shop(given):
    health = await given.adapter.check_connection()

    assert health.ok
    assert given.ctx.http.calls == ["GET /api/account"]
