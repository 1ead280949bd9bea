"""What the shop answers, checked and turned into the contract's records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from deskhub_sdk import (
    Malformed,
    Money,
    Order,
    OrderId,
    OrderLine,
    ProductId,
    Signal,
    TrackingEvent,
)
from deskhub_sdk.rest import Wire

Status = Literal[
    "placed", "paid", "packed", "shipped", "delivered", "completed", "cancelled", "returned"
]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]

# The way of an order that goes well, as the timeline shows it.
WAY = ("placed", "paid", "packed", "shipped", "transit", "delivered")
RETURNABLE = frozenset({"delivered", "completed"})
KIND = "order."


class ShopLine(Wire, frozen=True):
    """A line; *returned* pieces are on open or finished returns."""

    id: str
    sku: str
    title: str
    quantity: int
    unit_price: str
    product: str | None = None
    returned: int = 0
    final_sale: bool = False


class ShopEvent(Wire, frozen=True):
    """Something that happened to an order."""

    code: str
    at: Aware
    place: str | None = None


class ShopMark(Wire, frozen=True):
    """Under whose *reference* an order was cancelled."""

    reference: str | None = None


class ShopOrder(Wire, frozen=True):
    """An order as the shop writes it; amounts are decimal strings in *currency*."""

    id: str
    number: str
    customer: str
    status: Status
    version: int
    placed_at: Aware
    updated_at: Aware
    currency: str
    total: str
    lines: tuple[ShopLine, ...]
    history: tuple[ShopEvent, ...] = ()
    refunded: str = "0"
    payment: str | None = None
    paid_with: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    url: str | None = None
    cancellation: ShopMark | None = None


class ShopReturn(Wire, frozen=True):
    """A return authorization; *reference* is the caller's own."""

    id: str
    order: str
    status: Literal["open", "cancelled", "closed"]
    reference: str | None = None


class OrdersAnswer(Wire, frozen=True):
    """Orders by id; unknown ids are absent."""

    orders: tuple[ShopOrder, ...]


class IdsAnswer(Wire, frozen=True):
    """Order ids by customer number, newest first."""

    customers: Mapping[str, tuple[str, ...]]


class ReturnsAnswer(Wire, frozen=True):
    """Return authorizations, newest first."""

    returns: tuple[ShopReturn, ...]


class ReturnAnswer(Wire, frozen=True, rename={"made": "return"}):
    """One return authorization."""

    made: ShopReturn


class OrderAnswer(Wire, frozen=True):
    """One order."""

    order: ShopOrder


class Delivery(Wire, frozen=True):
    """A webhook's body. *id* and *sent_at* stand inside what is signed."""

    id: str
    kind: str
    sent_at: Aware
    order: ShopOrder


def order_of(shop: ShopOrder, return_days: int, now: datetime) -> Order:
    """Return *shop*'s order as the contract's record, with what may still come back *now*.

    ``lines[].note`` says why a line cannot come back; ``events[].text`` is the shop's code of
    what happened, which the cards translate. Raises `Malformed` for amounts that are none.
    """
    try:
        return Order(
            id=OrderId(shop.id),
            number=shop.number,
            customer=shop.customer,
            status=shop.status,
            placed_at=shop.placed_at,
            updated_at=shop.updated_at,
            version=shop.version,
            total=Money(shop.total, shop.currency),
            refunded=Money.from_minor(Money(shop.refunded, shop.currency).minor, shop.currency),
            lines=tuple(_line(shop, line, return_days, now) for line in shop.lines),
            carrier=shop.carrier,
            tracking=shop.tracking,
            events=_events(shop),
            payment=shop.payment,
            paid_with=shop.paid_with,
            url=shop.url,
        )
    except ValueError as error:
        raise Malformed(f"order {shop.id}: {error}") from error


def delivered_at(order: Order) -> datetime | None:
    """Return when *order* reached the customer, if it did."""
    return next((e.at for e in order.events if e.text == "delivered" and e.at), None)


def signal_of(delivery: Delivery, instance: str) -> Signal:
    """Return the fact in *delivery*: the order as it stands, with its version."""
    order = delivery.order
    return Signal(
        kind=delivery.kind,
        dedupe=delivery.id,
        object=f"{instance}:{order.id}",
        version=order.version,
        at=order.updated_at,
        subject=order.customer,
        data={"order": msgspec.to_builtins(order)},
    )


def order_in(signal: Signal, instance: str) -> ShopOrder | None:
    """Return the order that *signal* is about, or None when another adapter sent it."""
    if not signal.kind.startswith(KIND) or not signal.object.startswith(f"{instance}:"):
        return None
    told: Any = signal.data.get("order")
    try:
        return msgspec.convert(told, ShopOrder)
    except msgspec.ValidationError as error:
        raise Malformed(f"signal {signal.dedupe}: {error}") from error


def _line(shop: ShopOrder, line: ShopLine, return_days: int, now: datetime) -> OrderLine:
    reason = _reason(shop, line, return_days, now)
    return OrderLine(
        id=line.id,
        sku=line.sku,
        title=line.title,
        quantity=line.quantity,
        unit_price=Money(line.unit_price, shop.currency),
        returnable=0 if reason else line.quantity - line.returned,
        note=reason,
        product=ProductId(line.product) if line.product else None,
    )


def _reason(shop: ShopOrder, line: ShopLine, return_days: int, now: datetime) -> str | None:
    """Return why nothing of *line* can come back, or None."""
    if line.final_sale:
        return "Final sale"
    if shop.status == "cancelled":
        return "The order was cancelled"
    if line.returned >= line.quantity or shop.status == "returned":
        return "Already returned"
    if shop.status not in RETURNABLE:
        return "Not delivered yet"
    arrived = next((event.at for event in shop.history if event.code == "delivered"), None)
    if arrived is not None and now > arrived + timedelta(days=return_days):
        return f"More than {return_days} days since delivery"
    return None


def _events(shop: ShopOrder) -> tuple[TrackingEvent, ...]:
    """Return what happened, then what is still ahead on an order that goes well."""
    passed = [event for event in shop.history if event.code != "completed"]
    goes_on = shop.status in {"placed", "paid", "packed", "shipped"}
    events = [
        TrackingEvent(
            text=event.code,
            state=_state(event, is_last=event is passed[-1], goes_on=goes_on),
            at=event.at,
            detail=event.place,
        )
        for event in passed
    ]
    if goes_on:
        seen = {event.code for event in passed}
        events += [TrackingEvent(text=code, state="todo") for code in WAY if code not in seen]
    return tuple(events)


def _state(
    event: ShopEvent, *, is_last: bool, goes_on: bool
) -> Literal["done", "current", "failed"]:
    if event.code == "cancelled":
        return "failed"
    return "current" if is_last and goes_on else "done"
