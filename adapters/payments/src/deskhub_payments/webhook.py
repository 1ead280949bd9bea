"""What the payment provider pushes: ``t=…,v1=…`` over time and raw body, verified first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from deskhub_payments.mapping import REFUNDED, Delivery, signal_of
from deskhub_sdk import Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import parsed
from deskhub_sdk.webhooks import Scheme

SIGNATURE = "x-payments-signature"
SCHEME = Scheme(
    name="Payments", header=SIGNATURE, signed="{timestamp}.{body}", prefix="v1=",
    separator=",", stamp_field="t",
)  # fmt: skip


def sign(secret: str, body: bytes, at: int) -> str:
    """Return the signature header of *body* sent *at* seconds since 1970."""
    sent_at = datetime.fromtimestamp(at, UTC)
    return webhooks.sign(SCHEME, [secret], body, at=sent_at)[SIGNATURE]


def verify(request: WebhookRequest, secrets: Sequence[str], max_age_s: float) -> None:
    """Return when one of *secrets* signed time and body, and the time is now.

    The header may carry several ``v1`` while a secret is changed. Raises `Forged`.
    """
    webhooks.verify(request, SCHEME, secrets, max_age_s=max_age_s)


def signals_of(request: WebhookRequest, instance: str) -> Sequence[Signal]:
    """Return the facts in a verified *request*; events of no interest hold none."""
    delivery = parsed(request.body, Delivery, "the provider's webhook")
    return (signal_of(delivery, instance),) if delivery.kind == REFUNDED else ()
