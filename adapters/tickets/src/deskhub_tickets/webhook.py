"""What the ticket system pushes: verified over the raw bytes, then parsed, never before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from deskhub_sdk import Forged, Malformed, Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import parsed
from deskhub_sdk.webhooks import Scheme
from deskhub_tickets.mapping import UPDATED, Delivery, signal_of

SIGNATURE = "x-hub-signature-256"
DELIVERY = "x-hub-delivery"
SCHEME = Scheme(name="Tickets", header=SIGNATURE, prefix="sha256=", id=DELIVERY)


def sign(secret: str, body: bytes) -> str:
    """Return the signature header of *body*: ``sha256=`` and a hex HMAC-SHA256."""
    return webhooks.sign(SCHEME, [secret], body, at=datetime.now(UTC))[SIGNATURE]


def verify(request: WebhookRequest, secrets: Sequence[str]) -> None:
    """Return when one of *secrets* signed the body as it arrived. Raises `Forged`.

    Two secrets live at once while they are changed.
    """
    webhooks.verify(request, SCHEME, secrets)


def signals_of(request: WebhookRequest, max_age_s: float) -> Sequence[Signal]:
    """Return the facts in a verified *request*; events of no interest hold none.

    The delivery's id and time are read from the signed body: headers can be rewritten by
    whoever replays it. Raises `Forged` when it is too old or its header tells another id.
    """
    delivery = parsed(request.body, Delivery, "the ticket system's webhook")
    if abs(request.received_at - delivery.sent_at) > timedelta(seconds=max_age_s):
        raise Forged(f"delivery {delivery.delivery} was not sent just now")
    if request.headers.get(DELIVERY, delivery.delivery) != delivery.delivery:
        raise Forged(f"delivery {delivery.delivery} arrived under another id")
    if delivery.event != UPDATED:
        return ()
    if delivery.ticket is None:
        raise Malformed(f"delivery {delivery.delivery} says nothing about a case")
    return (signal_of(delivery, delivery.ticket),)
