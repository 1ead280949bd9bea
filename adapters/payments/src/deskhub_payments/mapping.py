"""What the payment provider answers, checked and turned into the contract's records."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from deskhub_sdk import Malformed, Money, OrderId, Payment, Signal
from deskhub_sdk.rest import Wire

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
REFUNDED = "payment.refunded"


class Refund(Wire, frozen=True):
    """Money that went back; *amount* is in minor units, *reference* the caller's own."""

    id: str
    payment: str
    amount: Annotated[int, msgspec.Meta(gt=0)]
    currency: str
    status: Literal["succeeded", "pending", "failed"]
    at: Aware
    reference: str | None = None
    reason: str | None = None


class Charge(Wire, frozen=True):
    """A captured payment; amounts are in minor units of *currency*."""

    id: str
    order: str
    customer: str
    method: str
    currency: str
    captured: int
    refunded: int
    version: int
    at: Aware
    updated_at: Aware
    refunds: tuple[Refund, ...] = ()

    @property
    def left(self) -> int:
        """Return what can still go back, in minor units."""
        return self.captured - self.refunded


class ChargesAnswer(Wire, frozen=True):
    """Payments; those that do not exist are absent."""

    payments: tuple[Charge, ...]


class RefundAnswer(Wire, frozen=True):
    """One refund."""

    refund: Refund


class RefundsAnswer(Wire, frozen=True):
    """Refunds, newest first."""

    refunds: tuple[Refund, ...]


class Delivery(Wire, frozen=True):
    """A webhook's body."""

    id: str
    kind: str
    payment: Charge


def amount_of(minor: int, currency: str) -> Money:
    """Return *minor* units as money. Raises `Malformed` for a currency that is none."""
    try:
        return Money.from_minor(minor, currency)
    except ValueError as error:
        raise Malformed(f"the provider's amount is not money: {error}") from error


def payment_of(charge: Charge) -> Payment:
    """Return *charge* as the contract's record."""
    return Payment(
        id=charge.id,
        order=OrderId(charge.order),
        method=charge.method,
        captured=amount_of(charge.captured, charge.currency),
        refunded=amount_of(charge.refunded, charge.currency),
        at=charge.at,
    )


def signal_of(delivery: Delivery, instance: str) -> Signal:
    """Return the fact in *delivery*: the payment as it stands, with its version."""
    charge = delivery.payment
    return Signal(
        kind=delivery.kind,
        dedupe=delivery.id,
        object=f"{instance}:{charge.id}",
        version=charge.version,
        at=charge.updated_at,
        subject=charge.customer,
        data={"payment": msgspec.to_builtins(charge)},
    )


def charge_in(signal: Signal, instance: str) -> Charge | None:
    """Return the payment that *signal* is about, or None when another adapter sent it."""
    if signal.kind != REFUNDED or not signal.object.startswith(f"{instance}:"):
        return None
    try:
        return msgspec.convert(signal.data.get("payment"), Charge)
    except msgspec.ValidationError as error:
        raise Malformed(f"signal {signal.dedupe}: {error}") from error
