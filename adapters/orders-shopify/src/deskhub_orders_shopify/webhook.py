"""What Shopify pushes: signed over the raw body, read only for which order to ask about.

The signature covers the body alone, so that topic, shop, id and time could be rewritten by
whoever replays it. Nothing is shown from a payload: it only makes the hub ask again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from deskhub_orders_shopify.mapping import RANK, Aware, version
from deskhub_sdk import Forged, Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import Wire, parsed
from deskhub_sdk.webhooks import SHOPIFY

CHANGED = "order.changed"
TOPIC, SHOP, SENT = "x-shopify-topic", "x-shopify-shop-domain", "x-shopify-triggered-at"
WEBHOOK_ID = "x-shopify-webhook-id"
# Its clock and ours.
AHEAD = timedelta(minutes=5)
# Topics whose payload is an order, and those whose payload names one.
ORDER = "orders/"
ABOUT = ("refunds/", "fulfillments/")


class _Customer(Wire, frozen=True):
    id: int


class _Parcel(Wire, frozen=True):
    shipment_status: str | None = None


class Payload(Wire, frozen=True):
    """A payload in the old interface's words; *updated_at* is the time under the signature."""

    id: int
    order_id: int | None = None
    updated_at: Aware | None = None
    created_at: Aware | None = None
    cancelled_at: Aware | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    fulfillments: tuple[_Parcel, ...] = ()
    customer: _Customer | None = None


def verify(request: WebhookRequest, secrets: Sequence[str], base_url: str) -> str:
    """Return the dedupe key of a *request* that one of *secrets* signed for this shop.

    An app has one secret for all its shops, so the shop is compared as well. One event is
    told under several topics with one id, so the topic is a part of the key. Raises `Forged`.
    """
    event = webhooks.verify(request, SHOPIFY, secrets)
    headers = request.headers
    if headers.get(SHOP, "").lower() != urlsplit(base_url).netloc.lower():
        raise Forged("it is another shop's")
    if SHOPIFY.id not in headers:
        event = headers.get(WEBHOOK_ID, "") or event
    return f"{headers.get(TOPIC, '')}:{event}"


def signals_of(
    request: WebhookRequest, dedupe: str, instance: str, prefix: str, max_age_s: float
) -> Sequence[Signal]:
    """Return a thin signal about the order that a verified *request* is about.

    Raises `Forged` when header or payload say that it is too old, `Malformed` when the
    payload is none.
    """
    topic = request.headers.get(TOPIC, "")
    if not topic.startswith((ORDER, *ABOUT)):
        return ()
    told = parsed(request.body, Payload, "Shopify's webhook")
    at = told.updated_at or told.created_at
    order = told.id if topic.startswith(ORDER) else told.order_id
    if at is None or order is None:
        return ()
    for moment in (at, _sent_at(request)):
        age = request.received_at - moment if moment is not None else timedelta()
        if age > timedelta(seconds=max_age_s) or age < -AHEAD:
            raise Forged("it was not sent just now")
    customer = f"{prefix}{told.customer.id}" if told.customer is not None else None
    return (
        Signal(
            kind=CHANGED,
            dedupe=dedupe,
            object=f"{instance}:{order}",
            version=version(at, _status(told)),
            at=at.astimezone(UTC),
            subject=customer,
            thin=True,
        ),
    )


def _sent_at(request: WebhookRequest) -> datetime | None:
    """Return when Shopify says that it happened. Raises `Forged` when that is no time."""
    told = request.headers.get(SENT, "")
    if not told:
        return None
    try:
        moment = datetime.fromisoformat(told[:40])
    except ValueError as error:
        raise Forged("its time is none") from error
    if moment.tzinfo is None:
        raise Forged("its time has no zone")
    return moment


def _status(told: Payload) -> str:
    if told.cancelled_at is not None:
        return "cancelled"
    if told.fulfillment_status == "fulfilled":
        parcels = [one.shipment_status for one in told.fulfillments]
        arrived = bool(parcels) and all(one == "delivered" for one in parcels)
        return "delivered" if arrived else "shipped"
    return "paid" if told.financial_status == "paid" else min(RANK, key=lambda one: RANK[one])
