"""Orders are read in batches, shown, and followed by webhooks that only say where to look."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from deskhub_orders_woocommerce.mapping import money
from deskhub_orders_woocommerce.settings import WooConfig
from deskhub_sdk import (
    Forged,
    Malformed,
    OrderId,
    Signal,
    Target,
    Throttled,
    Unavailable,
    webhooks,
)
from deskhub_sdk.testing.world import FIRST_ORDER, LAST_ORDER

ALL = [OrderId(str(number)) for number in range(FIRST_ORDER, LAST_ORDER + 1)]


async def test_300_orders_are_3_calls_and_what_is_missing_is_dropped(given):
    given.sim.shop.orders[1050]["status"] = "trash"

    found = await given.adapter.get_orders(ALL)

    assert len(found) == 299
    assert given.ctx.http.calls == ["GET /wp-json/wc/v3/orders"] * 3


async def test_an_id_that_is_no_number_does_not_spoil_the_batch(given):
    found = await given.adapter.get_orders([OrderId("1042"), OrderId("x,y"), OrderId("²")])

    assert list(found) == ["1042"]


async def test_orders_of_customers_are_bounded_and_strangers_have_none(given):
    found = await given.adapter.orders_of(["C-1001", "C-1007", "C-9999", "1001", "C-0"])

    assert set(found) == {"C-1001", "C-1007"}
    assert found["C-1001"][0] == "1042"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("500", Unavailable),
        ("429", Throttled),
        ("malformed", Malformed),
        ("reset", Unavailable),
    ],
)
async def test_what_the_shop_does_wrong_has_a_name(given, kind, error):
    given.fault(kind, "GET *", times=0, after_s=5)

    with pytest.raises(error):
        await given.adapter.get_orders([OrderId("1042")])
    with pytest.raises(error):
        await given.adapter.orders_of(["C-1001", "C-1007"])


async def test_the_panel_shows_the_latest_order_and_the_customer_sees_it_live(given):
    whole, earlier, *live = await given.cards("C-1001")

    assert whole.summary == "Order #1042 · Delivered"
    assert whole.actions[0].do.args == {"object": "shop:1042"}
    assert earlier.audience != "customer"
    assert {card.audience for card in live} == {"customer"}
    assert await given.cards(None) == ()
    assert await given.cards("C-9999") == ()


async def test_a_plugins_own_status_is_not_an_error(given):
    given.sim.shop.orders[1042]["status"] = "wc-gift-wrapping"

    (order,) = (await given.adapter.get_orders([OrderId("1042")])).values()

    assert order.status == "paid"


async def test_values_that_others_left_at_an_order_are_left_alone(given):
    given.sim.shop.orders[1042]["meta_data"] += [
        {"id": 9, "key": "deskhub_return_x", "value": {"not": "text"}},
        {"id": 10, "key": "other", "value": [1, None]},
    ]

    assert (await given.adapter.fresh(OrderId("1042"))).lines[0].returnable == 1


async def test_prices_are_exact_and_a_piece_is_never_rounded_up(given):
    line = given.sim.shop.orders[1042]["line_items"][0]
    line.update(quantity=3, total="100.00", total_tax="0")

    order = await given.adapter.fresh(OrderId("1042"))

    assert order.lines[0].unit_price.amount == "33.33"
    assert money("500.00", "JPY").amount == "500"
    with pytest.raises(Malformed):
        money("500.50", "JPY")
    with pytest.raises(Malformed):
        money("ten", "EUR")


async def test_order_facts_count_what_is_on_returns(given):
    told = await given.adapter.order_facts(OrderId("1042"), None)

    assert (told.paid.amount, told.refunded, told.returned) == ("428.00", None, None)
    assert await given.adapter.order_facts(OrderId("9999"), None) is None


async def moved(given, times=1):
    """Let an order go on and return the webhooks of it."""
    for _ in range(times):
        await given.does("advance", order=1051)
    return given.sim.caught[-times:]


async def test_a_webhook_says_which_order_to_read_again(given):
    (hook,) = await moved(given)

    (thin,) = await given.adapter.receive_webhook(given.arrived(hook))
    (now,) = await given.adapter.refetch_signals([thin])

    card = await given.adapter.signal_card(now)
    assert (thin.thin, thin.data, thin.object) == (True, {}, "shop:1051")
    assert await given.adapter.find_conversations(now) == (Target(subject="C-1005"),)
    assert (card.audience, card.rev) == ("both", now.version)
    assert card.badge.text.t == "woo.status.shipped"


async def test_changes_within_a_second_in_any_order_end_the_same(given):
    hooks = await moved(given, 3)
    thin = [(await given.adapter.receive_webhook(given.arrived(h)))[0] for h in hooks]

    assert [one.version for one in thin] == sorted({one.version for one in thin})
    for order in itertools.permutations(thin):
        last = max(
            [one for told in order for one in await given.adapter.refetch_signals([told])],
            key=lambda one: one.version,
        )
        assert (await given.adapter.signal_card(last)).badge.text.t == "woo.status.completed"


async def test_two_deliveries_of_a_second_have_one_id_and_two_keys(given):
    hooks = await moved(given, 2)
    keys = [
        (
            await given.adapter.receive_webhook(
                given.arrived(hook, x_wc_webhook_delivery_id="1")
            )
        )[0].dedupe
        for hook in (hooks[0], hooks[1], hooks[0])
    ]

    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize("signature", ["", "x", "AAAA"])
async def test_a_signature_that_is_none_is_forged(given, signature):
    (hook,) = await moved(given)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            given.arrived(hook, x_wc_webhook_signature=signature)
        )


async def test_the_same_order_written_anew_is_forged(given):
    (hook,) = await moved(given)

    body = json.dumps(json.loads(hook.body), indent=1).encode()
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(given.arrived(hook, body=body))


async def test_a_webhook_of_days_ago_is_forged(given):
    (hook,) = await moved(given)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            given.arrived(hook, at=datetime.now(UTC) + timedelta(days=1, minutes=1))
        )


@pytest.mark.parametrize("topic", ["product.updated", "order.deleted", "action.x"])
async def test_topics_of_no_interest_hold_nothing(given, topic):
    hook = given.sim.hook({"id": 7}, topic)

    assert await given.adapter.receive_webhook(given.arrived(hook)) == ()


async def test_a_signed_body_that_is_no_order_is_malformed(given):
    hook = given.sim.hook({"id": "seven"})

    with pytest.raises(Malformed):
        await given.adapter.receive_webhook(given.arrived(hook))


async def test_the_unsigned_ping_of_a_new_webhook_is_forged(given):
    (hook,) = await moved(given)
    ping = given.arrived(hook, body=b"webhook_id=7", x_wc_webhook_signature="")

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(ping)


async def test_50_orders_are_read_again_in_one_call(given):
    before = len(given.ctx.http.calls)
    signals = [
        Signal(
            kind="order.changed", dedupe=one, object=f"shop:{one}", version=0,
            at=datetime.now(UTC), thin=True,
        )
        for one in [*ALL[:49], "99999"]
    ]  # fmt: skip

    assert len(await given.adapter.refetch_signals(signals)) == 49
    assert len(given.ctx.http.calls) - before == 1


async def test_polling_finds_what_no_webhook_told_page_by_page(given):
    since = datetime.now(UTC) - timedelta(days=2000)

    first = await given.adapter.changed_since(since, "")
    pages = [first]
    while pages[-1].next:
        pages.append(await given.adapter.changed_since(since, pages[-1].next))

    assert [len(page.signals) for page in pages] == [100, 100, 100, 0]
    assert not first.signals[0].thin
    assert (await given.adapter.changed_since(datetime.now(UTC), "")).signals == ()


async def test_another_adapters_signal_is_left_alone(given):
    foreign = Signal(
        kind="order.changed", dedupe="x", object="other:1", version=1, at=datetime.now(UTC)
    )

    assert await given.adapter.signal_card(foreign) is None
    assert await given.adapter.find_conversations(foreign) == ()


def test_a_scheme_knows_no_id_because_the_shop_gives_one_twice():
    assert webhooks.WOOCOMMERCE.id == ""


@pytest.mark.parametrize(
    "wrong", [{"consumer_key": "cs_1"}, {"customer_format": "C"}, {"base_url": "shop"}]
)
def test_settings_that_cannot_work_are_refused(wrong):
    good = {
        "base_url": "https://s.example", "consumer_key": "ck_1", "token": "cs_1",
        "webhook_secret": "w",
    }  # fmt: skip

    assert WooConfig.model_validate(good)
    with pytest.raises(ValueError, match=r"must|should"):
        WooConfig.model_validate(good | wrong)
