"""What the shop pushes: verified over the raw bytes, then parsed, never before."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from deskhub_orders.mapping import KIND, Delivery, signal_of
from deskhub_sdk import Forged, Signal, WebhookRequest
from deskhub_sdk.rest import parsed

SIGNATURE = "x-shop-signature"
EVENT_ID = "x-shop-event-id"
TIMESTAMP = "x-shop-timestamp"


def sign(secret: str, body: bytes) -> str:
    """Return the signature of *body*: base64 of its HMAC-SHA256."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def verify(request: WebhookRequest, secrets: Sequence[str], max_age_s: float) -> None:
    """Return when one of *secrets* signed the body and it was sent just now.

    Two secrets live at once while they are changed; all are tried in constant time. Raises
    `Forged`.
    """
    given = request.headers.get(SIGNATURE, "").strip().encode()
    good = [
        hmac.compare_digest(given, sign(secret, request.body).encode()) for secret in secrets
    ]
    if not any(good):
        raise Forged("the signature does not hold")
    sent_at = _time(request.headers.get(TIMESTAMP, ""))
    if sent_at is None or abs(request.received_at - sent_at) > timedelta(seconds=max_age_s):
        raise Forged("it was not sent just now")


def signals_of(
    request: WebhookRequest, instance: str, max_age_s: float
) -> tuple[Delivery, Sequence[Signal]]:
    """Return what a verified *request* delivers, and the facts in it.

    Id and time stand in the signed body as well: headers can be rewritten by whoever replays
    it. Raises `Forged` when the two disagree.
    """
    delivery = parsed(request.body, Delivery, "the shop's webhook")
    if request.headers.get(EVENT_ID, "") != delivery.id:
        raise Forged(f"event {delivery.id} arrived under another id")
    if abs(request.received_at - delivery.sent_at) > timedelta(seconds=max_age_s):
        raise Forged(f"event {delivery.id} was not sent just now")
    wanted = delivery.kind.startswith(KIND)
    return delivery, (signal_of(delivery, instance),) if wanted else ()


def _time(value: str) -> datetime | None:
    """Return seconds since 1970 as a time, or None when *value* is no such number."""
    if not value.isascii() or not value.isdigit() or len(value) > 11:
        return None
    return datetime.fromtimestamp(int(value), UTC)
