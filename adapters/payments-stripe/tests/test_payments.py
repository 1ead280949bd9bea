"""Payments are read in few calls, shown, and followed by events that only say where to look."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from deskhub_payments_stripe.steps import RefundReturn
from deskhub_sdk import Forged, Malformed, OrderId, Signal, Target, Throttled, Unavailable
from deskhub_sdk.testing.world import FIRST_ORDER

SECRET, OLD_SECRET = "whsec_now", "whsec_before"


async def test_ten_orders_are_one_search(given):
    orders = [OrderId(str(FIRST_ORDER + at)) for at in range(25)]

    found = await given.adapter.get_payments([*orders, OrderId("9999")])

    assert len(found) == 25
    assert given.ctx.http.calls == ["GET /v1/payment_intents/search"] * 3


async def test_a_number_with_quotes_is_a_number(given):
    given.stripe.account.intents["pi_1042"]["metadata"]["order_id"] = 'a"b\\c'

    assert await given.adapter.get_payments([OrderId('a"b\\c')])
    assert await given.adapter.get_payments([OrderId('x" OR metadata["order_id"]:"1033')]) == {}


async def test_a_search_that_is_refused_because_of_one_finds_the_others(given):
    given.fault("bad_id", "GET *search", id="1050", times=0)

    found = await given.adapter.get_payments([OrderId("1042"), OrderId("1033")])

    assert set(found) == {"1042", "1033"}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("500", Unavailable),
        ("429", Throttled),
        ("malformed", Malformed),
        ("reset", Unavailable),
    ],
)
async def test_what_stripe_does_wrong_has_a_name(given, kind, error):
    given.fault(kind, "GET *", times=0, after_s=5)

    with pytest.raises(error):
        await given.adapter.get_payments([OrderId("1042")])


async def test_the_panel_shows_collected_refunded_and_left(given):
    (card,) = await given.cards("C-1001")

    assert [one.value.money for one in card.blocks[0].fields[:3]] == [
        "428.00",
        "0.00",
        "428.00",
    ]
    assert card.summary == "¥428.00 paid on #1042"
    assert await given.cards("C-9999") == ()
    assert await given.cards(None) == ()


async def test_what_was_not_collected_is_not_shown(given):
    given.stripe.account.intents["pi_1042"]["status"] = "requires_capture"

    assert OrderId("1042") not in await given.adapter.get_payments([OrderId("1042")])


async def test_order_facts_add_up_what_came_in_parts(given):
    given.stripe.account.intents["pi_1033"]["metadata"]["order_id"] = "1042"
    given.stripe.account.intents["pi_1033"]["currency"] = "cny"

    told = await given.adapter.order_facts(OrderId("1042"), None)

    parts = [given.stripe.account.charges[one]["amount"] for one in ("ch_1042", "ch_1033")]
    assert told.paid.minor == sum(parts)
    assert await given.adapter.order_facts(OrderId("9999"), None) is None


async def happened(given, verb="refund", **wish):
    """Let something happen and return the webhook that Stripe sent of it."""
    await given.does(verb, **(wish or {"payment_intent": "pi_1042", "amount": 100}))
    return given.stripe.caught[-1]


async def test_our_signature_is_the_vendors(given):
    hook = await happened(given)
    header = hook.headers["stripe-signature"]

    event = stripe.Webhook.construct_event(hook.body, header, SECRET)

    assert event.type == "charge.refunded"


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
async def test_the_vendors_signature_holds_here(given, secret):
    hook = await happened(given)
    signed = stripe.WebhookSignature.generate_signature_header(hook.body.decode(), secret)

    assert await given.adapter.receive_webhook(given.arrived(hook, stripe_signature=signed))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signed: "",
        lambda signed: "v1=" + signed.partition("v1=")[2],
        lambda signed: signed.replace("v1=", "v0="),
        lambda signed: signed[:-1] + ("0" if signed[-1] != "0" else "1"),
        lambda signed: "t=1," + signed,
        lambda signed: "t=x,v1=y",
    ],
)
async def test_what_the_vendor_would_refuse_is_forged_here(given, spoil):
    hook = await happened(given)
    header = spoil(hook.headers["stripe-signature"])

    with pytest.raises((stripe.SignatureVerificationError, ValueError, IndexError)):
        stripe.Webhook.construct_event(hook.body, header, SECRET)
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(given.arrived(hook, stripe_signature=header))


async def test_several_signatures_while_a_secret_is_rolled(given):
    event = given.stripe.account.event(
        "charge.refunded", given.stripe.account.charges["ch_1042"]
    )
    hook = given.stripe.hook(event, "whsec_another", OLD_SECRET)

    assert await given.adapter.receive_webhook(given.arrived(hook))
    assert stripe.Webhook.construct_event(
        hook.body, hook.headers["stripe-signature"], OLD_SECRET
    )


@pytest.mark.parametrize("late_s", [-302, 302])
async def test_late_and_early_webhooks_are_forged(given, late_s):
    hook = await happened(given)
    at = datetime.now(UTC) + timedelta(seconds=late_s)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(given.arrived(hook, at=at))


async def test_the_same_event_written_anew_is_forged(given):
    hook = await happened(given)
    body = json.dumps(json.loads(hook.body)).encode()

    assert body != hook.body
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(given.arrived(hook, body=body))


async def test_an_event_says_where_to_look_and_nothing_more(given):
    hook = await happened(given)

    (thin,) = await given.adapter.receive_webhook(given.arrived(hook))
    (again,) = await given.adapter.receive_webhook(given.arrived(hook))
    (now,) = await given.adapter.refetch_signals([thin])

    card = await given.adapter.signal_card(now)
    assert thin.thin
    assert thin.data == {}
    assert thin == again
    assert await given.adapter.find_conversations(now) == (Target(subject="C-1001"),)
    assert card.audience == "agent"
    assert card.summary == "¥1.00 refunded on #1042"


async def test_events_in_any_order_end_in_the_same_state(given):
    step = RefundReturn(given.adapter)
    made = await step.run(given.call("10.00"))
    await given.does("fail", refund=made["id"])
    await given.does("dispute", payment_intent="pi_1042")
    thin = [
        (await given.adapter.receive_webhook(given.arrived(hook)))[0]
        for hook in given.stripe.caught
    ]

    ends = set()
    for order in itertools.permutations(thin):
        (end,) = {
            one.version: one
            for told in order
            for one in await given.adapter.refetch_signals([told])
        }.values()
        ends.add((end.version, end.data["payment"]["disputed"]))

    assert len(thin) == 3
    assert len(ends) == 1
    card = await given.adapter.signal_card(end)
    assert card.badge.text.t == "stripe.disputed"
    assert [block.text.t for block in card.blocks[:2]] == ["stripe.dispute", "stripe.failed"]


async def test_each_thing_that_happens_makes_a_later_version(given):
    versions = []
    client = given.adapter.client
    for verb in (None, "refund", "fail", "dispute"):
        if verb == "fail":
            await given.does("fail", refund=list(given.stripe.account.refunds)[-1])
        elif verb == "refund":
            await given.does("refund", payment_intent="pi_1042", amount=100)
        elif verb == "dispute":
            await given.does("dispute", payment_intent="pi_1042")
        versions.append((await client.payment("pi_1042")).version)

    assert versions == sorted(set(versions))


async def test_fifty_objects_are_read_at_once_and_a_missing_one_is_left_out(given):
    orders = [str(FIRST_ORDER + at) for at in range(30)]
    signals = [
        Signal(
            kind="payment.changed", dedupe=one, object=f"stripe:pi_{one}", version=0,
            at=datetime.now(UTC), thin=True,
        )
        for one in [*orders, "none"]
    ]  # fmt: skip

    assert len(await given.adapter.refetch_signals(signals)) == 30
    given.fault("500", "GET *pi_1005", times=0)
    with pytest.raises(Unavailable):
        await given.adapter.refetch_signals(signals)


async def test_polling_tells_what_no_webhook_did_under_the_same_ids(given):
    for _ in range(130):
        given.stripe.account.event("charge.refunded", given.stripe.account.charges["ch_1042"])
    hook = await happened(given)
    (pushed,) = await given.adapter.receive_webhook(given.arrived(hook))
    since = datetime.now(UTC) - timedelta(minutes=5)

    first = await given.adapter.changed_since(since, "")
    second = await given.adapter.changed_since(since, first.next)

    assert (len(first.signals), len(second.signals), second.next) == (100, 31, "")
    assert first.signals[0] == pushed


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("customer.created", {"id": "cus_1", "object": "customer"}),
        ("charge.refunded", {"id": "ch_1", "object": "charge", "payment_intent": None}),
    ],
)
async def test_events_of_no_interest_hold_nothing(given, kind, thing):
    hook = given.stripe.hook(given.stripe.account.event(kind, thing))

    assert await given.adapter.receive_webhook(given.arrived(hook)) == ()


async def test_a_signed_body_that_is_no_event_is_malformed(given):
    hook = given.stripe.hook({"type": "x", "id": "", "created": 1, "data": {}})

    with pytest.raises(Malformed):
        await given.adapter.receive_webhook(given.arrived(hook))


async def test_another_adapters_signal_is_left_alone(given):
    foreign = Signal(
        kind="payment.changed", dedupe="x", object="other:1", version=1, at=datetime.now(UTC)
    )

    assert await given.adapter.signal_card(foreign) is None
    assert await given.adapter.find_conversations(foreign) == ()
