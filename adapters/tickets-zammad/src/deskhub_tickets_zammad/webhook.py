"""What Zammad pushes: HMAC-SHA1 over the raw bytes, and neither time nor id under it.

A job is tried five times under one delivery id, and its payload is made anew each time. It
says which ticket to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from deskhub_sdk import Forged, Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import parsed
from deskhub_tickets_zammad.mapping import CHANGED, Delivery


def signals_in(
    request: WebhookRequest, instance: str, secrets: Sequence[str], max_age_s: float
) -> Sequence[Signal]:
    """Return the ticket to be read again, if *request* is genuine. Raises `Forged`.

    The age is that of the ticket's last change, which stands in what is signed. The same job
    with a newer ticket in it is another fact; with the same ticket it is a repetition.
    """
    delivery = webhooks.verify(request, webhooks.ZAMMAD, secrets)
    ticket = parsed(request.body, Delivery, "Zammad's webhook").ticket
    if abs(request.received_at - ticket.updated_at) > timedelta(seconds=max_age_s):
        raise Forged(f"ticket {ticket.id} did not change just now")
    version = int(ticket.updated_at.timestamp() * 1000)
    return (
        Signal(
            kind=CHANGED,
            dedupe=f"{delivery[:80]}:{version}",
            object=f"{instance}:{ticket.id}",
            version=version,
            at=ticket.updated_at,
            thin=True,
        ),
    )
