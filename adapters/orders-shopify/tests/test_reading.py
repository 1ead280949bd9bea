"""Orders in calls that cost less than they may, points that run out, errors with status 200."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web

from deskhub_orders_shopify.budget import Cost, PointBudget, Throttle
from deskhub_orders_shopify.graphql import PATH
from deskhub_orders_shopify.mapping import Amount
from deskhub_sdk import AuthRequired, Malformed, Money, OrderId, Throttled, Unavailable
from deskhub_sdk.cards import encode_card
from deskhub_sdk.testing.samples import conversation, customer


async def test_an_order_is_read_whole(given):
    found = (await given.adapter.get_orders([OrderId("1042")]))["1042"]

    assert (found.number, found.status, found.customer) == ("1042", "delivered", "C-1001")
    assert found.total == Money("428.00", "CNY")
    assert [line.title for line in found.lines] == ["Trail Shoe 42", "Merino socks, M"]
    assert [line.returnable for line in found.lines] == [1, 1]
    assert (found.carrier, found.paid_with) == ("SF Express", "Alipay")


async def test_an_id_without_an_order_is_null_at_its_place_and_spoils_no_other(given):
    ids = [OrderId(one) for one in ("999999", "1042", "no-number", "", "-1", "1051")]

    found = await given.adapter.get_orders(ids)

    assert list(found) == ["1042", "1051"]


async def test_a_malformed_id_would_fail_the_whole_document(given):
    """The sabotaged twin: sent as it is, the id takes the others with it."""
    wanted = ["gid://shopify/Order/1042", "gid://shopify/Order/no-number"]

    with pytest.raises(Malformed, match="Invalid global id"):
        await given.adapter.client.ask(
            _documents().ORDERS, msgspec.defstruct("Any", []), {"ids": wanted}, ids=2
        )


async def test_sixty_look_ups_are_five_calls(given):
    ids = [OrderId(str(number)) for number in range(1001, 1061)]

    async with asyncio.TaskGroup() as group:
        for one in ids:
            group.create_task(given.adapter.get_orders([one]))

    assert given.asked() == ["Orders"] * 5


async def test_an_order_of_a_hundred_lines_has_them_all(given):
    found = (await given.adapter.get_orders([OrderId("1063")]))["1063"]

    assert len(found.lines) == 100
    assert given.asked() == ["Orders", "Lines"]


async def test_what_is_on_an_open_return_cannot_come_back_again(given):
    from deskhub_orders_shopify.returning import CreateReturn

    await CreateReturn(given.adapter).run(given.call())

    found = await given.adapter.fresh(OrderId("1042"))
    assert [line.returnable for line in found.lines] == [0, 1]


@pytest.mark.parametrize(
    ("told", "meant"), [("12.5", "12.50"), ("12", "12.00"), ("0.0", "0.00"), ("3.100", "3.10")]
)
def test_a_decimal_without_its_last_zeros_is_money(told, meant):
    assert Amount(amount=told, currency_code="EUR").money == Money(meant, "EUR")


def test_yen_have_no_decimals_and_nonsense_is_no_money():
    assert Amount(amount="1000.0", currency_code="JPY").money == Money("1000", "JPY")
    for told in ("", "1e3", "12.345", "NaN"):
        with pytest.raises(Malformed):
            _ = Amount(amount=told, currency_code="EUR").money


async def test_the_panel_shows_a_dozen_and_every_card_keeps_the_format(given):
    world = given.shop.world
    for number in world.people:
        cards = await given.adapter.conversation_cards(
            conversation(world), customer(world, number)
        )
        for card in cards:
            assert encode_card(card)


async def test_points_that_are_used_up_hold_calls_back_until_they_are_there(given):
    given.shop.points, given.shop.restore = 1000, 2000
    given.shop._left = 1000
    await given.adapter.check_connection()
    ids = [OrderId(str(number)) for number in range(1001, 1025)]

    found = await given.adapter.get_orders(ids)

    assert len(found) == 24
    assert given.adapter.client.budget.held_back == 1
    # Nothing was refused: every request that left was answered.
    assert len(given.shop.requests) == len(given.asked()) == 3


async def test_a_shop_that_throttles_is_asked_again_when_the_points_are_back(given):
    given.shop.errors = [("Orders", "THROTTLED", False)]

    assert await given.adapter.get_orders([OrderId("1042")])


async def test_a_long_wait_for_points_is_throttled_and_says_how_long(given):
    given.shop.points, given.shop.restore, given.shop._left = 1000, 10, 30
    await given.adapter.client.shop()

    with pytest.raises(Throttled) as caught:
        await given.adapter.get_orders([OrderId(str(1001 + at)) for at in range(12)])

    assert 80 < caught.value.retry_after_s < 100
    assert "Orders" not in given.asked()


async def test_the_budget_believes_the_lower_figure_of_two_answers():
    budget = PointBudget()
    for left in (500.0, 900.0):
        status = Throttle(maximum_available=1000.0, currently_available=left, restore_rate=1.0)
        budget.learn(Cost(throttle_status=status))

    assert budget.wait_s(600) == pytest.approx(100, abs=1)


async def test_points_that_a_query_did_not_use_are_given_back():
    budget = PointBudget()
    status = Throttle(maximum_available=1000.0, currently_available=1000.0, restore_rate=1.0)
    budget.learn(Cost(throttle_status=status))
    await budget.spend(900)
    told = Throttle(maximum_available=1000.0, currently_available=950.0, restore_rate=1.0)

    budget.learn(Cost(throttle_status=told, actual_query_cost=50.0), 900)

    assert budget.wait_s(950) == pytest.approx(0, abs=0.1)
    assert budget.wait_s(1000) == pytest.approx(50, abs=1)


async def test_a_panel_does_not_ask_what_is_on_each_open_return(given):
    for number in ("1042", "1063", "1090", "1033"):
        given.order(number)["returnStatus"] = "IN_PROGRESS"

    await given.adapter.get_orders([OrderId(one) for one in ("1042", "1033", "1051", "1017")])

    assert given.asked() == ["Orders"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ACCESS_DENIED", AuthRequired),
        ("SHOP_INACTIVE", AuthRequired),
        ("INTERNAL_SERVER_ERROR", Unavailable),
        ("TIMEOUT", Unavailable),
        ("undefinedField", Malformed),
    ],
)
async def test_an_error_with_status_200_is_an_error(given, code, error):
    given.shop.errors = [("Orders", code, False)]

    with pytest.raises(error):
        await given.adapter.get_orders([OrderId("1042")])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("<!doctype html><title>Log in</title>", Malformed),
        ('{"errors": "[API] Invalid API key"}', AuthRequired),
        ('{"data": null}', Malformed),
        ('{"data": {"nodes": [{"__typename": "Order"}]}}', Malformed),
        ('{"data": {"nodes": [7]}}', Malformed),
        ("[]", Malformed),
    ],
)
async def test_what_is_no_answer_is_none(given, body, error):
    async def odd(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/html")

    app = web.Application()
    app.router.add_post(PATH, odd)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    given.adapter.client._base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        with pytest.raises(error):
            await given.adapter.get_orders([OrderId("1042")])
    finally:
        await runner.cleanup()


async def test_an_app_that_may_do_too_little_is_told_what_it_lacks(given):
    assert (await given.adapter.check_connection()).ok
    given.shop.scopes = ("write_orders", "read_customers", "read_returns")

    health = await given.adapter.check_connection()

    assert not health.ok
    assert "write_returns" in health.text
    assert "read_orders" not in health.text


async def test_what_changed_is_told_page_by_page_and_the_same_each_time(given):
    since = datetime.now(UTC) - timedelta(days=8)
    pages, page = [], ""
    while True:
        changes = await given.adapter.changed_since(since, page)
        pages.append(changes)
        page = changes.next
        if not page:
            break

    told = [signal for one in pages for signal in one.signals]
    again = await given.adapter.changed_since(since, "")
    assert len(pages) > 1
    assert len({one.object for one in told}) == len(told)
    assert all(not one.thin and re.match(r"shop:[0-9]+\Z", one.object) for one in told)
    assert again.signals == pages[0].signals
    expected = [
        one for one in given.shop.records.orders.values()
        if datetime.fromisoformat(one["updatedAt"]) >= since.replace(microsecond=0)
    ]  # fmt: skip
    assert len(told) == len(expected)


def _documents():
    from deskhub_orders_shopify import documents

    return documents
