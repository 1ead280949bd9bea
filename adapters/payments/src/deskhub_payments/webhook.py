"""What the payment provider pushes: ``t=…,v1=…`` over time and raw body, verified first."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from deskhub_payments.mapping import REFUNDED, Delivery, signal_of
from deskhub_sdk import Forged, Signal, WebhookRequest
from deskhub_sdk.rest import parsed

SIGNATURE = "x-payments-signature"


def sign(secret: str, body: bytes, at: int) -> str:
    """Return the signature header of *body* sent *at* seconds since 1970."""
    return f"t={at},v1={_mac(secret, str(at), body)}"


def verify(request: WebhookRequest, secrets: Sequence[str], max_age_s: float) -> None:
    """Return when one of *secrets* signed time and body, and the time is now.

    The header may carry several ``v1`` while a secret is changed. All are tried in constant
    time. Raises `Forged`.
    """
    parts = [part.strip().partition("=") for part in _header(request).split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value.encode() for name, _, value in parts if name == "v1"]
    time = times[0] if len(times) == 1 else ""
    good = [
        hmac.compare_digest(one, _mac(secret, time, request.body).encode())
        for secret in secrets
        for one in given
    ]
    if not any(good):
        raise Forged("the signature does not hold")
    sent_at = datetime.fromtimestamp(int(time), UTC) if _is_time(time) else None
    if sent_at is None or abs(request.received_at - sent_at) > timedelta(seconds=max_age_s):
        raise Forged("it was not sent just now")


def signals_of(request: WebhookRequest, instance: str) -> Sequence[Signal]:
    """Return the facts in a verified *request*; events of no interest hold none."""
    delivery = parsed(request.body, Delivery, "the provider's webhook")
    return (signal_of(delivery, instance),) if delivery.kind == REFUNDED else ()


def _header(request: WebhookRequest) -> str:
    return request.headers.get(SIGNATURE, "")


def _is_time(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 12


def _mac(secret: str, time: str, body: bytes) -> str:
    return hmac.new(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hexdigest()
