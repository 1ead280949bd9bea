"""What HubSpot pushes: lists of events, signed with method, address, body and time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from deskhub_sdk import Malformed, Signal, WebhookRequest, webhooks
from deskhub_sdk.rest import Wire
from deskhub_sdk.webhooks import HUBSPOT

CHANGED = "contact.changed"
ABOUT = ("contact.", "object.")
CONTACT_TYPE = "0-1"
MAX_EVENTS = 100


class Event(Wire, frozen=True, rename="camel"):
    """One event; *occurred_at* is in milliseconds. Its id alone is not promised unique."""

    event_id: int
    subscription_type: str
    occurred_at: int
    object_id: int = 0
    object_type_id: str = CONTACT_TYPE
    # What a merge left: the others are answered under its id from then on.
    primary_object_id: int = 0


def verify(request: WebhookRequest, secrets: Sequence[str], max_age_s: float) -> None:
    """Return when one of *secrets* signed *request* within *max_age_s*. Raises `Forged`.

    The address under the signature is the one that HubSpot was given, whatever a proxy
    made of it.
    """
    webhooks.verify(request, HUBSPOT, secrets, max_age_s=max_age_s)


def signals_of(body: bytes, instance: str) -> Sequence[Signal]:
    """Return a thin signal for each contact that a verified *body* is about.

    Of several events about one contact the last one stands for all: the hub asks anyway.
    Raises `Malformed` when it is no list of events.
    """
    try:
        events = msgspec.json.decode(body, type=tuple[Event, ...])
        found = [_signal(one, instance) for one in events[:MAX_EVENTS] if _is_contact(one)]
    except (msgspec.ValidationError, msgspec.DecodeError, OverflowError, ValueError) as error:
        raise Malformed(f"HubSpot's webhook is not as documented: {error}") from error
    if len(events) > MAX_EVENTS:
        raise Malformed(f"HubSpot's webhook has {len(events)} events")
    latest: dict[str, Signal] = {}
    for one in sorted(found, key=lambda signal: signal.version):
        latest[one.object] = one
    return tuple(latest.values())


def _is_contact(event: Event) -> bool:
    return event.subscription_type.startswith(ABOUT) and event.object_type_id == CONTACT_TYPE


def _signal(event: Event, instance: str) -> Signal:
    contact = event.primary_object_id or event.object_id
    kind = event.subscription_type
    return Signal(
        kind=CHANGED,
        dedupe=f"{event.event_id}:{kind}:{contact}:{event.occurred_at}",
        object=f"{instance}:{contact}",
        version=event.occurred_at,
        at=datetime.fromtimestamp(event.occurred_at / 1000, UTC),
        thin=True,
    )
