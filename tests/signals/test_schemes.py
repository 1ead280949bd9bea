"""Signatures of webhooks: ours against those of libraries that somebody else wrote."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import stripe

from deskhub_sdk import ConfigInvalid, Forged, WebhookRequest
from deskhub_sdk.webhooks import (
    BOTTLECRM,
    GITHUB,
    HUBSPOT,
    METHOD,
    SCHEMES,
    SHOPIFY,
    STANDARD,
    STRIPE,
    URL,
    ZAMMAD,
    ZENDESK,
    Scheme,
    body_key,
    sign,
    verify,
)

NOW = datetime.now(UTC).replace(microsecond=0)
BODY = b'{"id": "evt_1", "object": "event", "type": "order.paid", "amount": 1.10}'
TEXT, WHSEC = "a secret of the sender", "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = {"text": "another secret", "whsec": "whsec_" + base64.b64encode(b"o" * 32).decode()}
URL_GIVEN = "https://desk.example/api/v1/webhooks/hub?x=1"
AGED = [one for one in SCHEMES.values() if one.timestamp or one.stamp_field]


def secret_of(scheme: Scheme) -> str:
    return WHSEC if scheme.key == "whsec" else TEXT


def arrived(
    headers: dict[str, str], body: bytes = BODY, at: datetime = NOW, url: str = URL_GIVEN
) -> WebhookRequest:
    found = {name.lower(): value for name, value in headers.items()}
    return WebhookRequest(
        instance="far", headers=found | {METHOD: "POST", URL: url}, body=body, received_at=at
    )


def signed(scheme: Scheme, body: bytes = BODY, *secrets: str) -> dict[str, str]:
    return sign(
        scheme, secrets or (secret_of(scheme),), body, at=NOW, id="evt_1", url=URL_GIVEN
    )


every = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda one: one.name)
aged = pytest.mark.parametrize("scheme", AGED, ids=lambda one: one.name)


@every
def test_what_a_sender_signs_is_believed_and_says_its_key(scheme: Scheme) -> None:
    key = verify(arrived(signed(scheme)), scheme, [secret_of(scheme)])

    assert key == ("evt_1" if scheme.id else body_key(BODY))


@every
@pytest.mark.parametrize("how", ["body", "secret", "none", "empty", "cut", "long", "strange"])
def test_what_it_did_not_sign_is_forged(scheme: Scheme, how: str) -> None:
    headers = signed(scheme)
    request = arrived(headers)
    secrets = [secret_of(scheme)]
    if how == "body":
        request = arrived(headers, BODY + b" ")
    elif how == "secret":
        secrets = [OTHER[scheme.key]]
    elif how == "none":
        secrets = []
    elif how == "empty":
        # A key that nobody set must not be one that everybody knows.
        secrets = [""]
    elif how == "cut":
        request = arrived({**headers, scheme.header: headers[scheme.header][:-2]})
    elif how == "long":
        sent = scheme.separator or " "
        request = arrived({**headers, scheme.header: sent.join(["v1,x="] * 5_000)})
    else:
        request = arrived({**headers, scheme.header: "\xff\u4f60" * 30})

    with pytest.raises(Forged):
        verify(request, scheme, secrets)


@every
def test_a_body_that_was_read_and_written_again_is_forged(scheme: Scheme) -> None:
    again = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    assert json.loads(again) == json.loads(BODY)

    with pytest.raises(Forged):
        verify(arrived(signed(scheme), again), scheme, [secret_of(scheme)])


@every
def test_both_secrets_hold_while_one_is_changed(scheme: Scheme) -> None:
    old, new = secret_of(scheme), OTHER[scheme.key]

    for sender in (old, new):
        verify(arrived(signed(scheme, BODY, sender)), scheme, [new, old])
    with pytest.raises(Forged):
        verify(arrived(signed(scheme, BODY, old)), scheme, [new])


@aged
@pytest.mark.parametrize("late_s", [-301, 301])
def test_what_is_late_or_from_the_future_is_forged(scheme: Scheme, late_s: int) -> None:
    at = NOW + timedelta(seconds=late_s)

    with pytest.raises(Forged):
        verify(arrived(signed(scheme), at=at), scheme, [secret_of(scheme)])
    verify(
        arrived(signed(scheme), at=NOW + timedelta(seconds=299)), scheme, [secret_of(scheme)]
    )


@aged
def test_a_replay_with_a_new_time_is_forged(scheme: Scheme) -> None:
    later = NOW + timedelta(hours=1)
    old, new = signed(scheme), sign(
        scheme, [OTHER[scheme.key]], BODY, at=later, id="evt_1", url=URL_GIVEN
    )  # fmt: skip
    mixed = {**new, scheme.header: old[scheme.header]}
    if scheme.stamp_field:
        stamp = new[scheme.header].split(",")[0]
        mixed[scheme.header] = f"{stamp},{old[scheme.header].split(',', 1)[1]}"

    with pytest.raises(Forged):
        verify(arrived(mixed, at=later), scheme, [secret_of(scheme)])


@aged
@pytest.mark.parametrize("time", ["", "yesterday", "-5", "9" * 30, "\u0663"])
def test_a_time_that_is_none_is_forged(scheme: Scheme, time: str) -> None:
    headers = signed(scheme)
    if scheme.stamp_field:
        headers[scheme.header] = f"t={time},{headers[scheme.header].split(',', 1)[1]}"
    else:
        headers[scheme.timestamp] = time

    with pytest.raises(Forged):
        verify(arrived(headers), scheme, [secret_of(scheme)])


def test_two_times_in_one_header_are_forged() -> None:
    headers = signed(STRIPE)
    headers[STRIPE.header] = f"t={int(NOW.timestamp()) + 9},{headers[STRIPE.header]}"

    with pytest.raises(Forged):
        verify(arrived(headers), STRIPE, [TEXT])


def test_the_address_and_the_id_are_under_the_signature_where_the_scheme_says() -> None:
    with pytest.raises(Forged):
        verify(arrived(signed(HUBSPOT), url="https://evil.example/"), HUBSPOT, [TEXT])
    with pytest.raises(Forged):
        verify(arrived(signed(STANDARD) | {"webhook-id": "evt_2"}), STANDARD, [WHSEC])


def test_a_secret_that_is_no_base64_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigInvalid):
        verify(arrived(signed(STANDARD)), STANDARD, ["whsec_not base64!"])


def test_words_in_the_body_are_not_filled_in() -> None:
    body = b'{"text": "{timestamp} {id} {body}"}'

    assert verify(arrived(signed(STANDARD, body), body), STANDARD, [WHSEC]) == "evt_1"


# -- against others' code -----------------------------------------------------------------


def test_standardwebhooks_believes_us_and_we_believe_it() -> None:
    theirs = standardwebhooks.Webhook(WHSEC)
    ours = sign(STANDARD, [OTHER["whsec"], WHSEC], BODY, at=NOW, id="msg_1")

    assert theirs.verify(BODY, ours) == json.loads(BODY)
    made = theirs.sign("msg_1", NOW, BODY.decode())
    headers = {
        "webhook-id": "msg_1", "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": made,
    }  # fmt: skip
    assert verify(arrived(headers), STANDARD, [WHSEC]) == "msg_1"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        theirs.verify(BODY + b" ", ours)


def test_stripe_believes_us_and_we_believe_it() -> None:
    ours = sign(STRIPE, [TEXT], BODY, at=NOW)[STRIPE.header]

    assert stripe.Webhook.construct_event(BODY, ours, TEXT)["id"] == "evt_1"
    stamp = int(NOW.timestamp())
    made = stripe.WebhookSignature._compute_signature(f"{stamp}.{BODY.decode()}", TEXT)
    for header in (f"t={stamp},v1={made}", f"t={stamp},v1={'0' * 64},v1={made},v0=x"):
        verify(arrived({"Stripe-Signature": header}), STRIPE, [TEXT])


def test_schemes_without_a_library_hold_what_their_senders_document() -> None:
    """The recipe of each sender's documentation, written out."""
    stamp, ms = str(int(NOW.timestamp())), str(int(NOW.timestamp() * 1000))

    def mac(what: bytes, kind: str = "sha256") -> bytes:
        return hmac.new(TEXT.encode(), what, kind).digest()

    def b64(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    told = {
        GITHUB: {"X-Hub-Signature-256": f"sha256={mac(BODY).hex()}"},
        SHOPIFY: {"X-Shopify-Hmac-Sha256": b64(mac(BODY))},
        ZAMMAD: {"X-Hub-Signature": f"sha1={mac(BODY, 'sha1').hex()}"},
        ZENDESK: {
            "X-Zendesk-Webhook-Signature": b64(mac(stamp.encode() + BODY)),
            "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        },
        HUBSPOT: {
            "X-HubSpot-Signature-v3": b64(
                mac(b"POST" + URL_GIVEN.encode() + BODY + ms.encode())
            ),
            "X-HubSpot-Request-Timestamp": ms,
        },
        BOTTLECRM: {
            "X-BottleCRM-Signature": f"t={stamp},v1={mac(f'{stamp}.'.encode() + BODY).hex()}"
        },
    }
    for scheme, headers in told.items():
        assert verify(arrived(headers), scheme, [TEXT]) == body_key(BODY)


def test_a_sender_without_ids_is_known_by_its_bytes() -> None:
    assert body_key(BODY) == "sha256:" + hashlib.sha256(BODY).hexdigest()
