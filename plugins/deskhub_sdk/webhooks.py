"""How business systems sign their webhooks, as data, and the one function that checks it.

An adapter names its system's scheme and lists the secrets that are live; two at once while one
is changed. The check is over the raw bytes, in constant time, before anything is parsed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from deskhub_sdk.errors import ConfigInvalid, Forged
from deskhub_sdk.records import Record, WebhookRequest

# Beside the sender's headers; a name with a colon cannot arrive over the network.
METHOD, URL = ":method", ":url"
# Some seconds of clock skew and a slow night at the sender; Standard Webhooks says the same.
TOLERANCE_S = 300.0
# So many signatures in one header are more than any rotation needs.
MAX_GIVEN = 16

_PART = re.compile(r"\{(id|timestamp|method|url|body)\}")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")


class Scheme(Record, frozen=True):
    """One way of signing. Header names are in lower case.

    *signed* is what the MAC covers, as in ``{id}.{timestamp}.{body}``. Each signature in
    *header* has *prefix* before it, and *separator* stands between several; where the header
    holds fields (``t=…,v1=…``), *stamp_field* names the one with the time. *timestamp* is the
    header with the time otherwise; a scheme without either says nothing about the age, and a
    replay is known by its id alone. *id* is the header with the sender's dedupe key, which is
    the same again when it repeats itself; empty when that stands in the body, or nowhere.
    """

    name: str
    header: str
    signed: str = "{body}"
    digest: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    separator: str = ""
    timestamp: str = ""
    stamp_field: str = ""
    unit: Literal["s", "ms"] = "s"
    key: Literal["text", "whsec"] = "text"
    id: str = ""


STANDARD = Scheme(
    name="Standard Webhooks", header="webhook-signature", signed="{id}.{timestamp}.{body}",
    encoding="base64", prefix="v1,", separator=" ", timestamp="webhook-timestamp",
    key="whsec", id="webhook-id",
)  # fmt: skip
GITHUB = Scheme(
    name="GitHub", header="x-hub-signature-256", prefix="sha256=", id="x-github-delivery"
)
STRIPE = Scheme(
    name="Stripe", header="stripe-signature", signed="{timestamp}.{body}", prefix="v1=",
    separator=",", stamp_field="t",
)  # fmt: skip
BOTTLECRM = Scheme(
    name="BottleCRM", header="x-bottlecrm-signature", signed="{timestamp}.{body}",
    prefix="v1=", separator=",", stamp_field="t", id="x-bottlecrm-delivery",
)  # fmt: skip
SHOPIFY = Scheme(
    name="Shopify", header="x-shopify-hmac-sha256", encoding="base64",
    id="x-shopify-event-id",
)  # fmt: skip
# Its delivery id is a new one for each delivery: two deliveries of one change are told apart
# by nothing but what the order says then.
WOOCOMMERCE = Scheme(name="WooCommerce", header="x-wc-webhook-signature", encoding="base64")
HUBSPOT = Scheme(
    name="HubSpot v3", header="x-hubspot-signature-v3", encoding="base64",
    signed="{method}{url}{body}{timestamp}", timestamp="x-hubspot-request-timestamp",
    unit="ms",
)  # fmt: skip
ZAMMAD = Scheme(
    name="Zammad", header="x-hub-signature", digest="sha1", prefix="sha1=",
    id="x-zammad-delivery",
)  # fmt: skip
ZENDESK = Scheme(
    name="Zendesk", header="x-zendesk-webhook-signature", encoding="base64",
    signed="{timestamp}{body}", timestamp="x-zendesk-webhook-signature-timestamp",
    id="x-zendesk-webhook-invocation-id",
)  # fmt: skip
JIRA = Scheme(
    name="Jira", header="x-hub-signature", prefix="sha256=",
    id="x-atlassian-webhook-identifier",
)  # fmt: skip
LINEAR = Scheme(name="Linear", header="linear-signature", id="linear-delivery")
FRAPPE = Scheme(name="Frappe", header="x-frappe-webhook-signature", encoding="base64")

SCHEMES: Mapping[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        STANDARD, GITHUB, STRIPE, BOTTLECRM, SHOPIFY, WOOCOMMERCE, HUBSPOT, ZAMMAD, ZENDESK,
        JIRA, LINEAR, FRAPPE,
    )
}  # fmt: skip


def verify(
    request: WebhookRequest,
    scheme: Scheme,
    secrets: Sequence[str],
    *,
    max_age_s: float = TOLERANCE_S,
) -> str:
    """Return the dedupe key of a *request* that one of *secrets* signed as *scheme* says.

    The key is the scheme's header, else a hash of the body: a sender that repeats itself
    without an id repeats the bytes. Raises `Forged` when no signature holds, or when it was
    not sent within *max_age_s* of now, in either direction.
    """
    headers = request.headers
    given, stamp = _given(scheme, headers)
    signed = _signed(scheme, headers, stamp, request.body)
    live = [one for one in secrets if one]
    # Every pair is compared: how long it takes says nothing about which one was close.
    good = [
        hmac.compare_digest(one.encode(), _mac(scheme, secret, signed).encode())
        for secret in live
        for one in given
    ]
    if not any(good):
        raise Forged("the signature does not hold" if live else "no secret is set")
    if scheme.timestamp or scheme.stamp_field:
        sent_at = _time(stamp, scheme.unit)
        late = timedelta(seconds=max_age_s)
        if sent_at is None or abs(request.received_at - sent_at) > late:
            raise Forged("it was not sent just now")
    return headers.get(scheme.id, "") or body_key(request.body)


def body_key(body: bytes) -> str:
    """Return the dedupe key of a webhook whose sender gives none: a hash of its *body*."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def sign(
    scheme: Scheme,
    secrets: Sequence[str],
    body: bytes,
    *,
    at: datetime,
    id: str = "",  # noqa: A002  as on the wire
    method: str = "POST",
    url: str = "",
) -> dict[str, str]:
    """Return the headers that a sender adds to *body*, signed with each of *secrets*."""
    moment = at.timestamp()
    stamp = str(int(moment * 1000) if scheme.unit == "ms" else int(moment))
    headers = {METHOD: method, URL: url}
    if scheme.id:
        headers[scheme.id] = id
    signed = _signed(scheme, headers, stamp, body)
    made = [f"{scheme.prefix}{_mac(scheme, secret, signed)}" for secret in secrets]
    if scheme.stamp_field:
        made.insert(0, f"{scheme.stamp_field}={stamp}")
    elif scheme.timestamp:
        headers[scheme.timestamp] = stamp
    headers[scheme.header] = scheme.separator.join(made) if scheme.separator else made[0]
    return {name: value for name, value in headers.items() if not name.startswith(":")}


def _given(scheme: Scheme, headers: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the signatures that a request carries, and when it says that it was sent."""
    header = headers.get(scheme.header, "").strip()
    parts = header.split(scheme.separator) if scheme.separator else [header]
    parts = [part.strip() for part in parts[: MAX_GIVEN + 1]]
    stamp = headers.get(scheme.timestamp, "").strip()
    if scheme.stamp_field:
        times = [one for one in parts if one.startswith(f"{scheme.stamp_field}=")]
        # Two times are an attempt to have one checked and the other one signed.
        stamp = times[0].partition("=")[2] if len(times) == 1 else ""
    given = [
        part[len(scheme.prefix) :]
        for part in parts
        if part[: len(scheme.prefix)].lower() == scheme.prefix
    ]
    if scheme.encoding == "hex":
        given = [one.lower() for one in given if _HEX.match(one)]
    return [one for one in given if one], stamp


def _signed(scheme: Scheme, headers: Mapping[str, str], stamp: str, body: bytes) -> bytes:
    """Return the bytes under the signature, by one pass: what is filled in is never read."""
    found = {
        "id": headers.get(scheme.id, "").encode(),
        "timestamp": stamp.encode(),
        "method": headers.get(METHOD, "POST").encode(),
        "url": headers.get(URL, "").encode(),
        "body": body,
    }
    parts = _PART.split(scheme.signed)
    return b"".join(
        found[part] if number % 2 else part.encode() for number, part in enumerate(parts)
    )


def _mac(scheme: Scheme, secret: str, signed: bytes) -> str:
    made = hmac.digest(_key(scheme, secret), signed, scheme.digest)
    return made.hex() if scheme.encoding == "hex" else base64.b64encode(made).decode()


def _key(scheme: Scheme, secret: str) -> bytes:
    """Return the bytes of *secret*. Raises `ConfigInvalid` when it is none of the scheme's."""
    if scheme.key == "text":
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ConfigInvalid("a secret of this kind is whsec_ and base64") from error


def _time(value: str, unit: Literal["s", "ms"]) -> datetime | None:
    """Return a number since 1970 as a time, or None when *value* is no such number."""
    if not value.isascii() or not value.isdigit() or len(value) > (14 if unit == "ms" else 11):
        return None
    return datetime.fromtimestamp(int(value) / (1000 if unit == "ms" else 1), UTC)
