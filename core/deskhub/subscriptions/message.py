"""What is posted: one event as JSON, with the three headers of Standard Webhooks."""

from __future__ import annotations

from datetime import datetime

from deskhub import __version__
from deskhub.clock import rfc3339
from deskhub.store.deliveries import TEST, DeliveryRow
from deskhub.store.event import Event, encode_data
from deskhub.store.subscriptions import SubscriptionRow
from deskhub.subscriptions.seal import Seal
from deskhub_sdk.webhooks import STANDARD, sign

# The events that can be asked for; `webhook.test` is sent by hand only.
KINDS = (
    "conversation.opened", "conversation.assigned", "conversation.closed",
    "conversation.reopened", "conversation.snoozed", "conversation.woken",
    "conversation.tagged", "conversation.linked", "conversation.rated", "conversation.read",
    "conversation.erased", "customer.linked", "prechat.answered", "message.posted",
    "message.edited", "note.posted", "note.edited", "card.shown", "run.changed",
)  # fmt: skip


def body_of(row: DeliveryRow, event: Event | None) -> bytes:
    """Return the body of *row*: the same bytes on every attempt while nothing is erased.

    ``data`` is the event as every other transport sends it.
    """
    if event is None:
        told = {"subscription": row.subscription, "delivery": row.id}
        stamp = rfc3339(row.created_at)
        return encode_data({"type": TEST, "timestamp": stamp, "data": told})
    head = encode_data({"type": event.kind, "timestamp": rfc3339(event.at)})
    return head[:-1] + b',"data":' + event.encoded + b"}"


def headers_of(
    row: DeliveryRow, body: bytes, secrets: list[str], at: datetime
) -> dict[str, str]:
    """Return the headers of an attempt made *at*, signed with each of *secrets*."""
    return {
        "content-type": "application/json",
        "user-agent": f"Deskhub/{__version__}",
        **sign(STANDARD, secrets, body, at=at, id=row.id),
    }


def secrets_of(row: SubscriptionRow, seal: Seal, now: datetime) -> list[str]:
    """Return the secrets that are live at *now*, the newest first. Raises `SealBroken`."""
    live = [seal.open(row.secret, place_of(row.tenant, row.id))]
    if row.old_secret and row.old_until is not None and now < row.old_until:
        live.append(seal.open(row.old_secret, place_of(row.tenant, row.id)))
    return live


def place_of(tenant: str, subscription: str) -> str:
    """Return the place that a secret is sealed for."""
    return f"subscription/{tenant}/{subscription}"
