"""Payments are read in batches, shown to agents, and followed through webhooks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import deskhub_payments
from deskhub_payments.texts import TEXTS
from deskhub_payments.webhook import SIGNATURE, sign
from deskhub_sdk import Forged, OrderId, Signal, Target, Throttled, Unavailable, WebhookRequest
from deskhub_sdk.capabilities import Payments as PaymentsCapability
from deskhub_sdk.cards import encode_card
from deskhub_sdk.testing.world import FIRST_ORDER, LAST_ORDER

ALL = [OrderId(str(number)) for number in range(FIRST_ORDER, LAST_ORDER + 1)]


async def test_300_payments_are_3_calls(given):
    found = await given.adapter.get_payments(ALL)

    assert len(found) == 300
    assert given.ctx.http.calls == ["GET /v1/payments"] * 3


async def test_orders_without_a_payment_are_absent(given):
    found = await given.adapter.get_payments([OrderId("1042"), OrderId("9999")])

    assert list(found) == ["1042"]
    assert found[OrderId("1042")].captured.amount == "428.00"


async def test_one_bad_id_does_not_hide_the_others(given):
    given.fault(kind="bad_id", match="GET /v1/payments", id="1050", times=0)

    found = await given.adapter.get_payments(
        [OrderId("1042"), OrderId("1050"), OrderId("1033")]
    )

    assert set(found) == {"1042", "1033"}


async def test_the_adapter_has_its_capability(given):
    assert isinstance(given.adapter, PaymentsCapability)


async def test_a_busy_provider_is_asked_again(given):
    given.fault(kind="429", match="GET *", after_s=0)

    assert await given.adapter.get_payments([OrderId("1042")])


@pytest.mark.parametrize(
    ("kind", "error"),
    [("500", Unavailable), ("timeout_before", Unavailable), ("429", Throttled)],
)
async def test_what_the_provider_does_wrong_has_a_name(given, kind, error):
    given.fault(kind=kind, match="GET *", times=0, after_s=5)

    with pytest.raises(error):
        await given.adapter.get_payments([OrderId("1042")])


async def test_the_panel_shows_captured_refunded_and_left(given):
    (card,) = await given.cards("C-1001")

    shown = [field.value.money for field in card.blocks[0].fields[:3]]
    assert shown == ["428.00", "0.00", "428.00"]
    assert card.summary == "¥428.00 paid on #1042"
    assert card.badge.text.t == "payments.paid"


async def test_a_refund_is_listed(given, call):
    await given.adapter.steps[0](given.adapter).run(call())

    (card,) = await given.cards("C-1001")

    assert card.badge.text.t == "payments.part"
    assert card.blocks[1].blocks[0].items[0].value.money == "399.00"


async def test_a_stranger_has_no_payments(given):
    assert await given.cards(None) == ()
    assert await given.cards("C-9999") == ()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_every_customers_cards_are_valid_and_translated(given, language):
    given.ctx.language = language

    for number in given.provider.world.people:
        for card in await given.cards(number):
            for key in re.findall(r'"t":"([^"]+)"', encode_card(card).decode()):
                assert key in TEXTS[language]


def test_both_languages_have_the_same_sentences_with_the_same_gaps():
    gaps = {
        language: {key: set(re.findall(r"\{(\w+)\}", said)) for key, said in texts.items()}
        for language, texts in TEXTS.items()
    }

    assert gaps["en"] == gaps["zh-CN"]


def test_every_key_in_the_code_has_a_sentence():
    source = Path(deskhub_payments.__file__).parent
    used = set()
    for file in ("cards.py", "adapter.py"):
        found = re.findall(r'"(payments\.[a-z_]+)"', (source / file).read_text("utf-8"))
        used |= set(found)

    assert used <= set(TEXTS["en"])
    assert used


def arrived(hook, *, at=None, signature=None, body=None) -> WebhookRequest:
    sent = {name.lower(): value for name, value in hook.headers.items()}
    if signature is not None:
        sent[SIGNATURE] = signature
    return WebhookRequest(
        instance="payments", headers=sent, body=hook.body if body is None else body,
        received_at=at or datetime.now(UTC),
    )  # fmt: skip


async def refunded(given, call):
    await given.adapter.steps[0](given.adapter).run(call())
    return given.provider.hook(given.provider.payments["pay_1042"])


async def test_a_signed_webhook_becomes_a_card_for_agents(given, call):
    hook = await refunded(given, call)

    (signal,) = await given.adapter.receive_webhook(arrived(hook))

    card = await given.adapter.signal_card(signal)
    assert (signal.object, signal.version) == ("payments:pay_1042", 2)
    assert await given.adapter.find_conversations(signal) == (Target(subject="C-1001"),)
    assert (card.id, card.rev, card.audience) == ("payments.payment:pay_1042", 2, "agent")


async def test_the_secret_before_still_holds_among_several_signatures(given, call):
    hook = await refunded(given, call)
    now = int(datetime.now(UTC).timestamp())
    old = given.adapter.config.previous_webhook_secret.get_secret_value()
    both = f"{sign('somebody-else', hook.body, now)},v1={sign(old, hook.body, now)[-64:]}"

    assert await given.adapter.receive_webhook(arrived(hook, signature=both))


@pytest.mark.parametrize("late_s", [-301, 301])
async def test_a_late_webhook_is_forged(given, call, late_s):
    at = datetime.now(UTC) + timedelta(seconds=late_s)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(await refunded(given, call), at=at))


async def test_a_replay_with_a_new_time_is_forged(given, call):
    hook = await refunded(given, call)
    later = datetime.now(UTC) + timedelta(hours=1)
    mac = hook.headers[SIGNATURE].partition("v1=")[2]

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(hook, at=later, signature=f"t={int(later.timestamp())},v1={mac}")
        )


@pytest.mark.parametrize("signature", ["", "v1=", "t=1", "t=x,v1=y", "t=1,t=2,v1=z", "v1=é"])
async def test_a_signature_that_is_none_is_forged(given, call, signature):
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(
            arrived(await refunded(given, call), signature=signature)
        )


async def test_a_body_that_was_touched_is_forged(given, call):
    hook = await refunded(given, call)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(hook, body=hook.body + b" "))


async def test_events_of_no_interest_hold_nothing(given, call):
    hook = await refunded(given, call)
    body = hook.body.replace(b"payment.refunded", b"payment.captured")
    now = int(datetime.now(UTC).timestamp())
    secret = given.adapter.config.webhook_secret.get_secret_value()

    assert (
        await given.adapter.receive_webhook(
            arrived(hook, body=body, signature=sign(secret, body, now))
        )
        == ()
    )


async def test_another_adapters_signal_is_left_alone(given):
    foreign = Signal(
        kind="order.shipped", dedupe="x", object="orders:1", version=1, at=datetime.now(UTC)
    )

    assert await given.adapter.signal_card(foreign) is None
    assert await given.adapter.find_conversations(foreign) == ()
