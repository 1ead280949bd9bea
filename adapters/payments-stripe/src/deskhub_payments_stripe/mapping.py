"""What Stripe answers, checked and turned into this adapter's and the contract's records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from deskhub_payments_stripe.amounts import amount_of
from deskhub_sdk import Malformed, Money, OrderId, Payment, Signal
from deskhub_sdk.rest import Wire

CHANGED = "payment.changed"
# Under this name a refund carries the key of the step that made it.
MARK = "deskhub_key"
REASON = "deskhub_reason"
# How far a refund is. It only moves on: a refund that succeeded may still fail days later.
FURTHER = {"pending": 1, "requires_action": 2, "succeeded": 3, "failed": 4, "canceled": 4}
GONE = frozenset({"failed", "canceled"})
DISPUTED = 500
# The greatest number of an hour's facts that fit beside a second in one version.
RANKS = 1000

Status = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
Count = Annotated[int, msgspec.Meta(ge=0)]
Currency = Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]


class Refund(Wire, frozen=True):
    """Money that went back, or is to; *amount* is in Stripe's units of *currency*."""

    id: str
    amount: Count
    currency: Currency
    created: Count
    status: Status
    payment_intent: str | None = None
    metadata: Mapping[str, str] = {}
    failure_reason: str | None = None

    @property
    def key(self) -> str | None:
        """Return the key of the step that made it, if one of ours did."""
        return self.metadata.get(MARK)


class Refunds(Wire, frozen=True):
    """A page of refunds, newest first."""

    data: tuple[Refund, ...]
    has_more: bool = False


class Card(Wire, frozen=True):
    """What may be shown of a card."""

    brand: str | None = None
    last4: str | None = None


class Method(Wire, frozen=True):
    """How was paid: ``card``, ``alipay``, ``sepa_debit`` and dozens more."""

    type: str
    card: Card | None = None


class Charge(Wire, frozen=True):
    """The charge that collected a payment; *refunds* is there when it was asked for."""

    id: str
    created: Count
    amount_captured: Count
    amount_refunded: Count
    disputed: bool = False
    payment_method_details: Method | None = None
    refunds: Refunds | None = None


class Intent(Wire, frozen=True):
    """A PaymentIntent with its latest charge."""

    id: str
    created: Count
    currency: Currency
    status: str
    amount_received: Count = 0
    latest_charge: Charge | None = None
    metadata: Mapping[str, str] = {}


class Intents(Wire, frozen=True):
    """A page of PaymentIntents; *next_page* stands in answers of a search."""

    data: tuple[Intent, ...]
    has_more: bool = False
    next_page: str | None = None


class ChargeOf(Wire, frozen=True):
    """The payment that a charge belongs to; very old charges have none."""

    id: str
    payment_intent: str | None = None


class Subject(Wire, frozen=True):
    """What an event is about, as far as it is read: the rest is asked for again."""

    id: str
    object: str
    payment_intent: str | None = None


class Data(Wire, frozen=True):
    """The envelope of an event's subject."""

    object: Subject


class Event(Wire, frozen=True):
    """Something that happened in the account."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    type: str
    created: Count
    data: Data


class Events(Wire, frozen=True):
    """A page of events, newest first."""

    data: tuple[Event, ...]
    has_more: bool = False


class Paid(Wire, frozen=True):
    """A collected payment as this adapter shows it; amounts in Stripe's units."""

    id: str
    order: str
    customer: str
    method: str
    currency: str
    captured: int
    refunded: int
    at: int
    version: int
    disputed: bool = False
    refunds: tuple[Refund, ...] = ()

    @property
    def left(self) -> int:
        """Return what can still go back."""
        return max(0, self.captured - self.refunded)

    def money(self, units: int) -> Money:
        """Return *units* in this payment's currency."""
        return amount_of(units, self.currency)


def paid_of(intent: Intent, order_key: str, customer_key: str) -> Paid | None:
    """Return *intent* as a payment, or None while nothing of it was collected."""
    charge = intent.latest_charge
    if intent.status != "succeeded" or charge is None:
        return None
    refunds = charge.refunds.data if charge.refunds is not None else ()
    return Paid(
        id=intent.id,
        order=intent.metadata.get(order_key, ""),
        customer=intent.metadata.get(customer_key, ""),
        method=_method(charge.payment_method_details),
        currency=intent.currency.upper(),
        captured=charge.amount_captured,
        refunded=charge.amount_refunded,
        at=charge.created,
        version=_version(charge, refunds),
        disputed=charge.disputed,
        refunds=refunds,
    )


def payment_of(paid: Paid) -> Payment:
    """Return *paid* as the contract's record."""
    return Payment(
        id=paid.id,
        order=OrderId(paid.order),
        method=paid.method,
        captured=paid.money(paid.captured),
        refunded=paid.money(paid.refunded),
        at=moment(paid.at),
    )


def moment(seconds: int) -> datetime:
    """Return a time of Stripe's. Raises `Malformed` for one beyond any calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise Malformed(f"Stripe's time is none: {seconds}") from error


def intent_in(event: Event) -> str | None:
    """Return the payment that *event* is about, if it is about one."""
    thing = event.data.object
    return thing.id if thing.object == "payment_intent" else thing.payment_intent


def signal_of(paid: Paid, instance: str) -> Signal:
    """Return the fact that *paid* stands as it does."""
    return Signal(
        kind=CHANGED,
        dedupe=f"{paid.id}:{paid.version}",
        object=f"{instance}:{paid.id}",
        version=paid.version,
        at=moment(paid.version // RANKS),
        subject=paid.customer or None,
        data={"payment": msgspec.to_builtins(paid)},
    )


def paid_in(signal: Signal, instance: str) -> Paid | None:
    """Return the payment that *signal* holds, or None when another adapter sent it."""
    if signal.kind != CHANGED or not signal.object.startswith(f"{instance}:"):
        return None
    told = signal.data.get("payment")
    try:
        return None if told is None else msgspec.convert(told, Paid)
    except msgspec.ValidationError as error:
        raise Malformed(f"signal {signal.dedupe}: {error}") from error


def _version(charge: Charge, refunds: tuple[Refund, ...]) -> int:
    """Return a number that grows with everything that happens to a payment.

    Stripe keeps no version and no time of change. What happens to a payment are new refunds,
    refunds that get further, and disputes: the latest second of any, and how far all are.
    """
    latest = max((charge.created, *(one.created for one in refunds)))
    further = sum(FURTHER[one.status] for one in refunds) + (DISPUTED if charge.disputed else 0)
    return latest * RANKS + min(further, RANKS - 1)


def _method(details: Method | None) -> str:
    if details is None:
        return "–"
    card = details.card
    if card is not None and card.brand and card.last4:
        return f"{card.brand.replace('_', ' ').title()} •••• {card.last4}"
    return details.type.replace("_", " ").capitalize()[:60]
