"""What the shop pushes: verified over the raw bytes, then parsed, never before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from deskhub_orders.mapping import KIND, Delivery, signal_of
from deskhub_sdk import Forged, Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import parsed
from deskhub_sdk.webhooks import Scheme

SIGNATURE = "x-shop-signature"
EVENT_ID = "x-shop-event-id"
TIMESTAMP = "x-shop-timestamp"
SCHEME = Scheme(
    name="Shop", header=SIGNATURE, encoding="base64", timestamp=TIMESTAMP, id=EVENT_ID
)


def sign(secret: str, body: bytes) -> str:
    """Return the signature of *body*: base64 of its HMAC-SHA256."""
    return webhooks.sign(SCHEME, [secret], body, at=datetime.now(UTC))[SIGNATURE]


def verify(request: WebhookRequest, secrets: Sequence[str], max_age_s: float) -> None:
    """Return when one of *secrets* signed the body and it was sent just now.

    Two secrets live at once while they are changed. Raises `Forged`.
    """
    webhooks.verify(request, SCHEME, secrets, max_age_s=max_age_s)


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
