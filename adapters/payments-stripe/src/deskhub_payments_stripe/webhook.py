"""What Stripe pushes: time and raw bytes are under the signature, and nothing else counts.

An event says only which payment to read again. Its payload is as old as the event, in the
shapes of the version that the endpoint at Stripe was made for, and may arrive in any order.
"""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_payments_stripe.client import TYPES
from deskhub_payments_stripe.mapping import CHANGED, RANKS, Event, intent_in, moment
from deskhub_sdk import Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import parsed


def signals_in(
    request: WebhookRequest, instance: str, secrets: Sequence[str], max_age_s: float
) -> Sequence[Signal]:
    """Return the payment to be read again, if *request* is genuine. Raises `Forged`.

    Several ``v1`` may stand in the header while a secret is rolled; schemes other than v1
    count for nothing.
    """
    webhooks.verify(request, webhooks.STRIPE, secrets, max_age_s=max_age_s)
    signal = signal_of(parsed(request.body, Event, "Stripe's event"), instance)
    return (signal,) if signal is not None else ()


def signal_of(event: Event, instance: str) -> Signal | None:
    """Return the thin signal of *event*, the same by webhook and by polling."""
    payment = intent_in(event)
    if payment is None or event.type not in TYPES:
        return None
    return Signal(
        kind=CHANGED,
        dedupe=event.id,
        object=f"{instance}:{payment}",
        version=event.created * RANKS,
        at=moment(event.created),
        thin=True,
    )
