"""What Shopify answers, checked and turned into the contract's records."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from deskhub_sdk import Malformed, Money, Order, OrderId, OrderLine, ProductId, TrackingEvent
from deskhub_sdk.rest import Wire

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Status = Literal[
    "placed", "paid", "packed", "shipped", "delivered", "completed", "cancelled", "returned"
]
# How far each state is: it orders changes within one second, which is as fine as times are.
RANK = {
    "placed": 0, "paid": 1, "packed": 2, "shipped": 3, "delivered": 5, "returned": 7,
    "cancelled": 8,
}  # fmt: skip
WAY = ("placed", "paid", "shipped", "transit", "delivered")
PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
LEFT = frozenset({"FULFILLED", "PARTIALLY_FULFILLED"})
AT_WORK = frozenset({"IN_PROGRESS", "PENDING_FULFILLMENT", "ON_HOLD", "SCHEDULED", "OPEN"})
# What of a return is still open is not in an order's own quantities.
RETURNING = frozenset({"IN_PROGRESS", "RETURN_REQUESTED", "INSPECTION_COMPLETE"})


class Camel(Wire, frozen=True, rename="camel"):
    """Base of GraphQL's objects."""


class Amount(Camel, frozen=True):
    """Money in one currency. GraphQL's Decimal is a string without fixed decimals."""

    amount: str
    currency_code: str

    @property
    def money(self) -> Money:
        """Return the contract's money. Raises `Malformed` when it is none."""
        whole, _, part = self.amount.partition(".")
        try:
            zero = Money("0", self.currency_code)
            # "12.5" and "1000.0" for yen are both in use.
            part = part.rstrip("0").ljust(zero.exponent, "0")
            return Money(f"{whole}.{part}" if part else whole, self.currency_code)
        except ValueError as error:
            raise Malformed(f"Shopify's amount is not money: {error}") from error


class Bag(Camel, frozen=True):
    """An amount as the customer saw it."""

    presentment_money: Amount


class Node(Camel, frozen=True):
    """Anything by its global id."""

    id: str


class Line(Camel, frozen=True):
    """A line; *current_quantity* is what was neither refunded nor removed."""

    id: str
    title: str
    quantity: int
    current_quantity: int
    unfulfilled_quantity: int
    price: Bag = msgspec.field(name="discountedUnitPriceAfterAllDiscountsSet")
    sku: str | None = None
    variant_title: str | None = None


class Page(Camel, frozen=True):
    """Where a list goes on."""

    has_next_page: bool
    end_cursor: str | None = None


class Lines(Camel, frozen=True):
    """Lines with the place of the next ones."""

    nodes: tuple[Line, ...]
    page_info: Page


class Tracking(Camel, frozen=True):
    """A parcel's carrier and number."""

    company: str | None = None
    number: str | None = None


class Fulfillment(Camel, frozen=True):
    """A parcel."""

    created_at: Aware
    display_status: str | None = None
    in_transit_at: Aware | None = None
    delivered_at: Aware | None = None
    tracking_info: tuple[Tracking, ...] = ()


class ShopOrder(Camel, frozen=True):
    """An order; *returnable* is what can still come back by line, once that was asked for."""

    id: str
    name: str
    created_at: Aware
    updated_at: Aware
    display_fulfillment_status: str
    return_status: str
    total_price_set: Bag
    total_refunded_set: Bag
    line_items: Lines
    display_financial_status: str | None = None
    cancelled_at: Aware | None = None
    payment_gateway_names: tuple[str, ...] = ()
    customer: Node | None = None
    fulfillments: tuple[Fulfillment, ...] = ()
    returnable: dict[str, int] | None = None


def number_of(gid: str) -> str:
    """Return the number at the end of a global id."""
    return gid.rpartition("/")[2].partition("?")[0]


def gid(kind: str, number: str) -> str:
    """Return the global id of *number*."""
    return f"gid://shopify/{kind}/{number}"


def is_number(text: str) -> bool:
    """Return whether *text* can be an id at all: a malformed one fails a whole query."""
    return text.isascii() and text.isdigit() and len(text) <= 20 and int(text) > 0


def status_of(shop: ShopOrder) -> Status:
    """Return how far an order is; archiving an order says nothing about that."""
    if shop.cancelled_at is not None:
        return "cancelled"
    if shop.display_fulfillment_status in LEFT:
        if shop.display_financial_status == "REFUNDED":
            return "returned"
        arrived = [one.delivered_at is not None or one.display_status == "DELIVERED"
                   for one in shop.fulfillments]  # fmt: skip
        whole = shop.display_fulfillment_status == "FULFILLED"
        return "delivered" if whole and arrived and all(arrived) else "shipped"
    if shop.display_fulfillment_status in AT_WORK:
        return "packed"
    return "paid" if shop.display_financial_status in PAID else "placed"


def version(at: datetime, status: str) -> int:
    """Return a number that grows with each change: seconds since 1970, then how far it is."""
    return int(at.timestamp()) * 100 + RANK.get(status, 0)


def delivered_at(shop: ShopOrder) -> datetime | None:
    """Return when the last parcel arrived, if all of them did and said when."""
    times = [one.delivered_at for one in shop.fulfillments]
    known = [one for one in times if one is not None]
    return max(known) if known and len(known) == len(times) else None


def order_of(shop: ShopOrder, address: str, prefix: str, days: int, now: datetime) -> Order:
    """Return *shop* as the contract's record; *address* is the shop's own.

    ``lines[].note`` says why a line cannot come back; ``events[].text`` is a code that the
    cards translate.
    """
    status = status_of(shop)
    total = shop.total_price_set.presentment_money.money
    number = number_of(shop.id)
    parcel = next((t for one in shop.fulfillments for t in one.tracking_info), Tracking())
    is_paid = shop.display_financial_status in PAID
    return Order(
        id=OrderId(number),
        number=shop.name.removeprefix("#"),
        customer=prefix + number_of(shop.customer.id) if shop.customer else "",
        status=status,
        placed_at=shop.created_at,
        updated_at=shop.updated_at,
        version=version(shop.updated_at, status),
        total=total,
        refunded=shop.total_refunded_set.presentment_money.money,
        lines=tuple(_line(shop, one, status, days, now) for one in shop.line_items.nodes),
        carrier=parcel.company,
        tracking=parcel.number,
        events=_events(shop, status),
        payment=number if is_paid else None,
        paid_with=", ".join(shop.payment_gateway_names) or None,
        url=f"{address}/admin/orders/{number}",
    )


def _line(shop: ShopOrder, line: Line, status: str, days: int, now: datetime) -> OrderLine:
    left = line.current_quantity
    if shop.returnable is not None:
        left = min(left, shop.returnable.get(line.id, 0))
    sent = line.quantity - line.unfulfilled_quantity
    note = _note(shop, left=left, sent=sent, status=status, days=days, now=now)
    title = f"{line.title} · {line.variant_title}" if line.variant_title else line.title
    sku = line.sku or ""
    return OrderLine(
        id=number_of(line.id),
        sku=sku,
        title=title,
        quantity=line.quantity,
        unit_price=line.price.presentment_money.money,
        returnable=0 if note else min(left, sent),
        note=note,
        product=ProductId(sku) if sku else None,
    )


def _note(
    shop: ShopOrder, *, left: int, sent: int, status: str, days: int, now: datetime
) -> str | None:
    if status == "cancelled":
        return "The order was cancelled"
    if left <= 0:
        return "Already returned"
    if sent <= 0:
        return "Not delivered yet"
    arrived = delivered_at(shop)
    if arrived is not None and now > arrived + timedelta(days=days):
        return f"More than {days} days since delivery"
    return None


def _events(shop: ShopOrder, status: str) -> tuple[TrackingEvent, ...]:
    """Return what happened, then what is still ahead on an order that goes well."""
    happened: list[tuple[str, datetime | None]] = [("placed", shop.created_at)]
    if shop.display_financial_status in PAID:
        happened.append(("paid", None))
    if shop.fulfillments:
        happened.append(("shipped", min(one.created_at for one in shop.fulfillments)))
        moved = [one.in_transit_at for one in shop.fulfillments if one.in_transit_at]
        if moved:
            happened.append(("transit", min(moved)))
    if status in {"delivered", "returned"}:
        happened.append(("delivered", delivered_at(shop)))
    if status == "cancelled":
        done = [TrackingEvent(text=c, state="done", at=at) for c, at in happened]
        return (*done, TrackingEvent(text="cancelled", state="failed", at=shop.cancelled_at))
    if status == "returned":
        happened.append(("returned", shop.updated_at))
    goes_on = status in {"placed", "paid", "packed", "shipped"}
    events = [
        TrackingEvent(text=c, state="current" if goes_on and c == happened[-1][0] else "done",
                      at=at)
        for c, at in happened
    ]  # fmt: skip
    seen = {c for c, _ in happened}
    if goes_on:
        events += [TrackingEvent(text=c, state="todo") for c in WAY if c not in seen]
    return tuple(events)
