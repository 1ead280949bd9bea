"""HubSpot's webhooks: lists of events, signed with the address, asked for again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from deskhub_sdk import Forged, Malformed, Signal, Target, WebhookRequest
from deskhub_sdk.cards import encode_card
from deskhub_sdk.webhooks import HUBSPOT, METHOD, URL, sign

HUB = "https://desk.example.com"


def arrived(hook, *, at=None, body=None, **headers) -> WebhookRequest:
    sent = {name.lower(): value for name, value in hook.headers.items()}
    return WebhookRequest(
        instance="crm",
        headers={**sent, METHOD: "POST", URL: hook.url, **headers.pop("headers", {})},
        body=hook.body if body is None else body,
        received_at=at or datetime.now(UTC),
    )


def changed(given, *kinds: str):
    given.hubspot.hub = HUB
    contact = given.hubspot.touch(given.contact(), city="Suzhou")
    wanted = kinds or ("contact.propertyChange",)
    return given.hubspot.hook([given.hubspot.event(contact["id"], one) for one in wanted])


async def test_an_event_is_thin_and_is_asked_for_again(given):
    (signal,) = await given.adapter.receive_webhook(arrived(changed(given)))

    (now,) = await given.adapter.refetch_signals([signal])

    assert (signal.thin, dict(signal.data)) == (True, {})
    assert (now.thin, now.object) == (False, signal.object)
    assert await given.adapter.find_conversations(now) == (Target(subject="C-1001"),)
    card = await given.adapter.signal_card(now)
    assert (card.audience, card.rev) == ("agent", now.version)
    assert encode_card(card)


async def test_several_events_about_one_contact_are_one_question(given):
    kinds = ("contact.creation", "contact.propertyChange", "contact.propertyChange")

    (signal,) = await given.adapter.receive_webhook(arrived(changed(given, *kinds)))

    assert signal.dedupe.split(":")[1] == "contact.propertyChange"


async def test_events_of_other_things_hold_nothing(given):
    hook = changed(given, "deal.creation", "company.propertyChange")

    assert await given.adapter.receive_webhook(arrived(hook)) == ()


async def test_twice_is_the_same_and_a_payload_that_lies_shows_what_is_true(given):
    hook = changed(given)
    (first,) = await given.adapter.receive_webhook(arrived(hook))
    (again,) = await given.adapter.receive_webhook(arrived(hook))
    given.hubspot.touch(given.contact(), city="Beijing")

    (now,) = await given.adapter.refetch_signals([first])

    assert first == again
    assert now.data["contact"]["properties"]["city"] == "Beijing"


async def test_who_was_merged_away_is_who_they_became(given):
    hook = changed(given)
    (signal,) = await given.adapter.receive_webhook(arrived(hook))
    gone, into = given.contact()["id"], given.contact("C-1002")["id"]
    given.hubspot.merge(gone, into)

    (now,) = await given.adapter.refetch_signals([signal])

    assert now.object == f"crm:{gone}"
    assert (now.data["contact"]["id"], now.subject) == (into, "C-1002")


async def test_a_merge_is_about_the_one_that_stays(given):
    given.hubspot.hub = HUB
    into = given.contact("C-1002")["id"]
    event = {
        **given.hubspot.event("51001", "contact.merge"), "primaryObjectId": int(into),
    }  # fmt: skip

    (signal,) = await given.adapter.receive_webhook(arrived(given.hubspot.hook([event])))

    assert signal.object == f"crm:{into}"


async def test_who_was_erased_is_left_out(given):
    (signal,) = await given.adapter.receive_webhook(arrived(changed(given)))
    del given.hubspot.contacts[given.contact()["id"]]

    assert await given.adapter.refetch_signals([signal]) == ()


async def test_who_cannot_be_read_now_is_asked_for_later_and_not_gone(given):
    (signal,) = await given.adapter.receive_webhook(arrived(changed(given)))
    given.hubspot.broken = {given.contact()["id"]: "INTERNAL_ERROR"}

    with pytest.raises(Malformed):
        await given.adapter.refetch_signals([signal])


@pytest.mark.parametrize(
    "headers",
    [
        {HUBSPOT.header: ""},
        {HUBSPOT.header: "AAAA"},
        {URL: "http://desk.example.com/api/v1/webhooks/crm-hubspot"},
        {URL: f"{HUB}/api/v1/webhooks/other"},
        {METHOD: "PUT"},
        {HUBSPOT.timestamp: ""},
        {HUBSPOT.timestamp: "yesterday"},
    ],
)
async def test_another_address_method_time_or_signature_is_forged(given, headers):
    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(changed(given), headers=headers))


@pytest.mark.parametrize("late_s", [-301, 301])
async def test_what_is_older_than_five_minutes_or_from_the_future_is_forged(given, late_s):
    at = datetime.now(UTC) + timedelta(seconds=late_s)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(changed(given), at=at))


async def test_a_replay_with_a_new_time_is_forged(given):
    later = datetime.now(UTC) + timedelta(hours=1)
    stamp = {HUBSPOT.timestamp: str(int(later.timestamp() * 1000))}

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(changed(given), at=later, headers=stamp))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body + b" ",
        lambda body: json.dumps(json.loads(body), indent=1).encode(),
        lambda body: body.decode().encode("utf-16"),
        lambda _: b"",
    ],
)
async def test_a_body_that_was_touched_or_written_anew_is_forged(given, spoil):
    hook = changed(given)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(arrived(hook, body=spoil(hook.body)))


async def test_the_secret_before_holds_while_it_is_changed(given):
    hook = changed(given)
    old = given.adapter.config.previous_webhook_secret.get_secret_value()
    signed = sign(HUBSPOT, [old], hook.body, at=datetime.now(UTC), url=hook.url)

    assert await given.adapter.receive_webhook(arrived(hook, headers=signed))


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"<html>",
        b'[{"eventId": "x"}]',
        b'[{"eventId": 1, "subscriptionType": "contact.creation", "occurredAt": 99999999999999999}]',
        json.dumps([
            {"eventId": one, "subscriptionType": "contact.creation", "occurredAt": 1,
             "objectId": one} for one in range(101)
        ]).encode(),
    ],
)  # fmt: skip
async def test_a_signed_body_of_another_shape_is_malformed(given, body):
    hook = changed(given)
    secret = given.adapter.config.webhook_secret.get_secret_value()
    signed = sign(HUBSPOT, [secret], body, at=datetime.now(UTC), url=hook.url)

    with pytest.raises(Malformed):
        await given.adapter.receive_webhook(arrived(hook, body=body, headers=signed))


async def test_another_adapters_signal_is_left_alone(given):
    foreign = Signal(
        kind="contact.changed", dedupe="x", object="other:51001", version=1,
        at=datetime.now(UTC),
    )  # fmt: skip

    assert await given.adapter.signal_card(foreign) is None
    assert await given.adapter.find_conversations(foreign) == ()
