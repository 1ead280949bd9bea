"""What the ERP pushes: verified over the raw bytes, then parsed, never before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from deskhub_erp.mapping import Booked
from deskhub_sdk import Forged, Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import parsed
from deskhub_sdk.webhooks import Scheme

SIGNATURE = "x-erp-signature"
BOOKED = "receipt.booked"
SCHEME = Scheme(name="ERP", header=SIGNATURE)


def sign(secret: str, body: bytes) -> str:
    """Return the signature header of *body*: a hex HMAC-SHA256."""
    return webhooks.sign(SCHEME, [secret], body, at=datetime.now(UTC))[SIGNATURE]


def signals_of(
    request: WebhookRequest, secret: str, max_age_s: float, instance: str
) -> Sequence[Signal]:
    """Return the booked receipts in *request*. Raises `Forged` when it is not the ERP's."""
    webhooks.verify(request, SCHEME, [secret])
    told = parsed(request.body, Booked, "the ERP's webhook")
    if abs(request.received_at - told.sent_at) > timedelta(seconds=max_age_s):
        raise Forged(f"event {told.id} was not sent just now")
    if told.kind != BOOKED:
        return ()
    return (
        Signal(
            kind=BOOKED,
            dedupe=told.id,
            object=f"{instance}:{told.receipt.id}",
            version=2,
            at=told.sent_at,
            data={"order": told.order or ""},
        ),
    )
