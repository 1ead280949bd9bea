"""Shopify's webhooks: signed over the body alone, so that nothing of them is shown."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from deskhub_orders_shopify.webhook import SENT, SHOP, TOPIC
from deskhub_sdk import Forged, Malformed, OrderId, Signal, Target, WebhookRequest
from deskhub_sdk.cards import encode_card
from deskhub_sdk.webhooks import SHOPIFY, sign


def arrived(hook, *, at=None, headers=None, body=None) -> WebhookRequest:
    sent = {name.lower(): value for name, value in hook.headers.items()}
    return WebhookRequest(
        instance="shop",
        headers={**sent, **(headers or {})},
        body=hook.body if body is None else body,
        received_at=at or datetime.now(UTC),
    )


def shipped(given, topic="orders/updated"):
    order = given.shop.records.advance("1051")
    return given.shop.hook(order, topic=topic)


async def test_a_webhook_is_thin_and_is_asked_for_again(given):
    (signal,) = await given.adapter.receive_webhook(arrived(shipped(given)))

    (now,) = await given.adapter.refetch_signals([signal])

    assert (signal.thin, signal.object, dict(signal.data)) == (True, "shop:1051", {})
    assert (now.thin, now.object, now.version) == (False, "shop:1051", signal.version)
    assert await given.adapter.find_conversations(now) == (Target(subject="C-1005"),)
    card = await given.adapter.signal_card(now)
    assert (card.audience, card.badge.text.t) == ("both", "shopify.status.shipped")
    assert encode_card(card)


async def test_a_payload_that_lies_about_the_present_shows_what_is_true(given):
    stale = shipped(given)
    given.shop.records.advance("1051")

    (signal,) = await given.adapter.receive_webhook(arrived(stale))
    (now,) = await given.adapter.refetch_signals([signal])

    assert now.data["order"]["status"] == "delivered"
    assert now.version > signal.version


async def test_an_order_that_is_gone_is_left_out(given):
    (signal,) = await given.adapter.receive_webhook(arrived(shipped(given)))
    del given.shop.records.orders["gid://shopify/Order/1051"]

    assert await given.adapter.refetch_signals([signal]) == ()


async def test_versions_of_any_order_of_arrival_lead_to_the_same_end(given):
    seen = []
    for _ in range(2):
        hook = given.shop.hook(given.shop.records.advance("1051"))
        (signal,) = await given.adapter.receive_webhook(arrived(hook))
        seen.append(await given.adapter.refetch_signals([signal]))
    signals = [one for (one,) in seen]
    latest = max(one.version for one in signals)

    for tried in itertools.permutations(signals):
        best = tried[0]
        for one in tried[1:]:
            best = one if one.version > best.version else best
        assert best.version == latest
        assert best.data["order"]["status"] == "delivered"
    assert len({one.version for one in signals}) == 2


async def test_an_event_under_two_topics_is_told_apart_and_twice_is_the_same(given):
    hook = shipped(given)
    other = {TOPIC: "orders/fulfilled"}

    (first,) = await given.adapter.receive_webhook(arrived(hook))
    (again,) = await given.adapter.receive_webhook(arrived(hook))
    (second,) = await given.adapter.receive_webhook(arrived(hook, headers=other))

    assert first.dedupe == again.dedupe
    assert first.dedupe != second.dedupe
    assert first == again


async def test_without_an_event_id_the_webhooks_own_id_counts(given):
    hook = shipped(given)
    request = arrived(hook)
    bare = {k: v for k, v in request.headers.items() if k != SHOPIFY.id}

    (signal,) = await given.adapter.receive_webhook(
        msgspec.structs.replace(request, headers=bare)
    )

    assert signal.dedupe == f"orders/updated:{bare['x-shopify-webhook-id']}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body + b" ",
        lambda body: json.dumps(json.loads(body)).replace(" ", "").encode(),
        lambda body: body.decode().encode("utf-16"),
        lambda body: body[:-2] + b"\xff}",
        lambda _: b"",
    ],
)
async def test_a_body_that_was_touched_or_written_anew_is_forged(given, spoil):
    hook = shipped(given)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(hook, body=spoil(hook.body)))


@pytest.mark.parametrize(
    "headers",
    [
        {SHOPIFY.header: ""},
        {SHOPIFY.header: "AAAA"},
        {SHOP: "another.myshopify.com"},
        {SHOP: ""},
        {SENT: "yesterday"},
        {SENT: "2020-01-01T00:00:00Z"},
        {SENT: "2020-01-01T00:00:00"},
    ],
)
async def test_what_is_not_signed_not_ours_or_of_no_time_is_forged(given, headers):
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(shipped(given), headers=headers))


async def test_a_replay_with_a_new_time_in_its_header_is_forged_by_the_time_in_its_body(given):
    hook = shipped(given)
    later = datetime.now(UTC) + timedelta(hours=7)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(hook, at=later, headers={SENT: later.isoformat()})
        )


async def test_a_repetition_of_four_hours_later_is_taken(given):
    hook = shipped(given)

    assert await given.adapter.receive_webhook(
        arrived(hook, at=datetime.now(UTC) + timedelta(hours=4))
    )


async def test_the_secret_before_holds_while_it_is_changed(given):
    hook = shipped(given)
    old = given.adapter.config.previous_webhook_secret.get_secret_value()
    signed = sign(SHOPIFY, [old], hook.body, at=datetime.now(UTC), id="e_1")

    assert await given.adapter.receive_webhook(arrived(hook, headers=signed))


async def test_a_refund_is_about_its_order(given):
    now = datetime.now(UTC).isoformat()
    body = json.dumps({"id": 7, "order_id": 1042, "created_at": now}).encode()
    secret = given.adapter.config.webhook_secret.get_secret_value()
    signed = sign(SHOPIFY, [secret], body, at=datetime.now(UTC), id="e_2")

    (signal,) = await given.adapter.receive_webhook(
        arrived(shipped(given), body=body, headers={**signed, TOPIC: "refunds/create"})
    )

    assert signal.object == "shop:1042"


@pytest.mark.parametrize(
    "body", [b"[]", b'{"id": "x"}', b"<html>", b'{"id": 1, "updated_at": "x"}']
)
async def test_a_signed_body_of_another_shape_is_malformed(given, body):
    secret = given.adapter.config.webhook_secret.get_secret_value()
    signed = sign(SHOPIFY, [secret], body, at=datetime.now(UTC), id="e_3")

    with pytest.raises(Malformed):
        await given.adapter.receive_webhook(arrived(shipped(given), body=body, headers=signed))


async def test_topics_of_no_interest_hold_nothing(given):
    for topic in ("products/update", "customers/redact", ""):
        hook = shipped(given, topic) if topic == "products/update" else given.shop.hook(
            given.order(), topic=topic
        )  # fmt: skip
        assert await given.adapter.receive_webhook(arrived(hook)) == ()


async def test_another_adapters_signal_is_left_alone(given):
    for name in ("other:1051", "shop-2:1051"):
        foreign = Signal(
            kind="order.changed", dedupe="x", object=name, version=1, at=datetime.now(UTC)
        )
        assert await given.adapter.signal_card(foreign) is None
        assert await given.adapter.find_conversations(foreign) == ()


async def test_the_next_panel_reads_the_order_anew(given):
    before = await given.adapter.get_orders([OrderId("1051")])

    await given.adapter.receive_webhook(arrived(shipped(given)))

    after = await given.adapter.get_orders([OrderId("1051")])
    assert (before["1051"].status, after["1051"].status) == ("packed", "shipped")
