"""The shop's webhooks: signed, fresh, ours, and what becomes of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from deskhub_orders.webhook import EVENT_ID, SIGNATURE, TIMESTAMP, sign
from deskhub_sdk import Forged, Malformed, OrderId, Signal, Target, WebhookRequest
from deskhub_sdk.cards import encode_card


def arrived(hook, *, at=None, headers=None, body=None) -> WebhookRequest:
    sent = {name.lower(): value for name, value in hook.headers.items()}
    return WebhookRequest(
        instance="orders",
        headers={**sent, **(headers or {})},
        body=hook.body if body is None else body,
        received_at=at or datetime.now(UTC),
    )


async def shipped(given):
    """Ship order 1051 and return the webhook that tells of it."""
    await given.press("ship", "1051")
    return given.shop.hook(given.shop.records.orders["1051"])


async def test_a_signed_webhook_is_one_signal_about_one_version(given):
    hook = await shipped(given)

    (signal,) = await given.adapter.receive_webhook(arrived(hook))

    assert (signal.kind, signal.object, signal.version) == ("order.shipped", "orders:1051", 4)
    assert signal.dedupe == json.loads(hook.body)["id"]
    assert await given.adapter.find_conversations(signal) == (Target(subject="C-1005"),)


async def test_the_card_is_for_both_sides_and_carries_the_version(given):
    (signal,) = await given.adapter.receive_webhook(arrived(await shipped(given)))

    card = await given.adapter.signal_card(signal)

    assert (card.id, card.rev, card.audience) == ("orders.order:1051", 4, "both")
    assert card.badge.text.t == "orders.status.shipped"
    assert card.actions == ()
    assert encode_card(card)


async def test_the_next_panel_reads_the_order_anew(given):
    before = await given.adapter.get_orders([OrderId("1051")])

    await given.adapter.receive_webhook(arrived(await shipped(given)))

    after = await given.adapter.get_orders([OrderId("1051")])
    assert (before["1051"].status, after["1051"].status) == ("packed", "shipped")


async def test_a_body_that_was_touched_is_forged(given):
    hook = await shipped(given)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(hook, body=hook.body + b" "))


async def test_a_webhook_without_a_signature_is_forged(given):
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(await shipped(given), headers={SIGNATURE: ""})
        )


async def test_another_secret_is_forged(given):
    hook = await shipped(given)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(hook, headers={SIGNATURE: sign("guess", hook.body)})
        )


async def test_the_secret_before_still_holds_while_it_is_changed(given):
    hook = await shipped(given)
    old = given.adapter.config.previous_webhook_secret.get_secret_value()

    assert await given.adapter.receive_webhook(
        arrived(hook, headers={SIGNATURE: sign(old, hook.body)})
    )


@pytest.mark.parametrize("late_s", [-301, 301])
async def test_a_webhook_that_is_late_or_from_the_future_is_forged(given, late_s):
    hook = await shipped(given)
    at = datetime.now(UTC) + timedelta(seconds=late_s)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(hook, at=at))


async def test_a_replay_with_a_new_time_in_its_header_is_forged(given):
    hook = await shipped(given)
    later = datetime.now(UTC) + timedelta(hours=1)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(hook, at=later, headers={TIMESTAMP: str(int(later.timestamp()))})
        )


async def test_a_replay_under_a_new_id_is_forged(given):
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(await shipped(given), headers={EVENT_ID: "evt_new"})
        )


@pytest.mark.parametrize("time", ["", "yesterday", "9" * 30, "-5"])
async def test_a_time_that_is_none_is_forged(given, time):
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(await shipped(given), headers={TIMESTAMP: time})
        )


async def test_a_signed_body_of_another_shape_is_malformed(given):
    hook = await shipped(given)
    body = b'{"id": 5}'
    secret = given.adapter.config.webhook_secret.get_secret_value()

    with pytest.raises(Malformed):
        await given.adapter.receive_webhook(
            arrived(hook, body=body, headers={SIGNATURE: sign(secret, body)})
        )


async def test_another_adapters_signal_is_left_alone(given):
    foreign = Signal(
        kind="ticket.updated", dedupe="x", object="tickets:1", version=1, at=datetime.now(UTC)
    )
    sister = Signal(
        kind="order.shipped", dedupe="y", object="other-shop:1051", version=1,
        at=datetime.now(UTC),
    )  # fmt: skip

    for signal in (foreign, sister):
        assert await given.adapter.signal_card(signal) is None
        assert await given.adapter.find_conversations(signal) == ()


async def test_the_shop_tells_the_hub_once_twice_or_out_of_order_as_it_is_told(given):
    received: list[tuple[int, str]] = []

    async def hub(request: web.Request) -> web.Response:
        told = await request.json()
        received.append((told["order"]["version"], told["id"]))
        return web.json_response({"accepted": 1}, status=202)

    app = web.Application()
    app.router.add_post("/api/v1/webhooks/orders", hub)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    given.shop.hub = f"http://127.0.0.1:{runner.addresses[0][1]}"
    given.fault(kind="duplicate", match="order.shipped")
    given.fault(kind="stale", match="order.delivered")

    shipped_ = await given.press("ship", "1051")
    delivered = await given.press("deliver", "1051")
    await runner.cleanup()

    assert shipped_["webhooks"] == delivered["webhooks"] == [202, 202]
    versions = [version for version, _ in received]
    assert versions == [4, 4, 6, 4]
    assert received[0][1] == received[1][1]
    assert received[2][1] != received[3][1]
