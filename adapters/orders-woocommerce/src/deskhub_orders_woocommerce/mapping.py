"""What WooCommerce answers, checked and turned into the contract's records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import msgspec

from deskhub_sdk import Malformed, Money, Order, OrderId, OrderLine, ProductId, Signal
from deskhub_sdk.rest import Wire

CHANGED = "order.changed"
RETURN, CANCELLED = "deskhub_return_", "deskhub_cancelled"
RETURNABLE = frozenset({"delivered", "completed"})
Status = Literal["placed", "paid", "shipped", "delivered", "completed", "cancelled", "returned"]

# WooCommerce's own seven, and the ones that shipping plugins commonly add.
STATUS: dict[str, Status] = {
    "checkout-draft": "placed", "pending": "placed", "on-hold": "placed",
    "processing": "paid", "partial-shipped": "paid", "shipped": "shipped",
    "delivered": "delivered", "completed": "completed", "cancelled": "cancelled",
    "failed": "cancelled", "refunded": "returned",
}  # fmt: skip
FURTHER = ("placed", "paid", "shipped", "delivered", "completed", "cancelled", "returned")
RANKS = 100
Id = Annotated[int, msgspec.Meta(ge=0)]
Amount = str | int | float


class Meta(Wire, frozen=True):
    """A named value that anybody may have left; ours are text."""

    key: str
    value: Any = None


class Line(Wire, frozen=True):
    """A line; *total* is what was paid for all pieces after discounts, without tax."""

    id: Id
    name: str
    quantity: int
    total: Amount
    total_tax: Amount = "0"
    sku: str | None = None
    product_id: Id = 0
    variation_id: Id = 0


class Back(Wire, frozen=True):
    """A refund as an order lists it: a negative total."""

    id: Id
    total: Amount = "0"
    reason: str | None = None


class WooOrder(Wire, frozen=True):
    """An order. Times ending in ``_gmt`` are UTC and say so nowhere."""

    id: Id
    number: str
    status: str
    currency: str
    date_created_gmt: str
    date_modified_gmt: str
    total: Amount
    customer_id: Id = 0
    payment_method_title: str = ""
    transaction_id: str = ""
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    line_items: tuple[Line, ...] = ()
    refunds: tuple[Back, ...] = ()
    meta_data: tuple[Meta, ...] = ()

    def meta(self, key: str) -> str:
        """Return the text that was left under *key*, or nothing."""
        texts = [one.value for one in self.meta_data if one.key == key]
        return next((one for one in texts if isinstance(one, str)), "")

    @property
    def stands(self) -> Status:
        """Return the contract's word for the status; a plugin's own counts as on its way."""
        return STATUS.get(self.status, "paid" if self.date_paid_gmt else "placed")

    @property
    def version(self) -> int:
        """Return a number that grows: the second of the last change, then how far it is."""
        rank = FURTHER.index(self.stands) * 10 + min(9, len(self.refunds))
        return int(moment(self.date_modified_gmt).timestamp()) * RANKS + rank


class Numbered(Wire, frozen=True):
    """An order of which only the number was asked for."""

    id: Id


class Refund(Wire, frozen=True):
    """A refund by itself: a positive amount."""

    id: Id
    amount: Amount
    reason: str | None = None


def moment(text: str) -> datetime:
    """Return one of WordPress's GMT times, which have no zone. Raises `Malformed`."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed(f"the shop's time is none: {text!r}") from error


def money(value: Amount, currency: str) -> Money:
    """Return the shop's amount as money; noughts behind the currency's decimals are dropped.

    Raises `Malformed` for what is no amount.
    """
    try:
        shape = Money("0", currency)
        exact = Decimal(str(value))
        cut = exact.quantize(Decimal(1).scaleb(-shape.exponent), ROUND_DOWN)
        if cut != exact:
            raise ValueError(f"{value} has more decimals than {currency}")
        return Money(f"{cut:f}", currency)
    except (ValueError, InvalidOperation) as error:
        raise Malformed(f"the shop's amount is not money: {error}") from error


def refunded(woo: WooOrder) -> Money:
    """Return what went back on *woo*."""
    nothing = Money.from_minor(0, woo.currency)
    return sum((_positive(one, woo.currency) for one in woo.refunds), nothing)


def order_of(woo: WooOrder, customer: str, return_days: int, now: datetime) -> Order:
    """Return *woo* as the contract's record, with what may still come back *now*."""
    try:
        reason = _reason(woo, return_days, now)
        back = returned(woo)
        return Order(
            id=OrderId(str(woo.id)),
            number=woo.number,
            customer=customer,
            status=woo.stands,
            placed_at=moment(woo.date_created_gmt),
            updated_at=moment(woo.date_modified_gmt),
            version=woo.version,
            total=money(woo.total, woo.currency),
            refunded=refunded(woo),
            lines=tuple(_line(one, woo, reason, back) for one in woo.line_items),
            payment=woo.transaction_id or None,
            paid_with=woo.payment_method_title or None,
        )
    except ValueError as error:
        raise Malformed(f"order {woo.id}: {error}") from error


def returned(woo: WooOrder) -> Mapping[str, int]:
    """Return how many pieces of each line are on returns that Deskhub accepted."""
    found: dict[str, int] = {}
    for one in woo.meta_data:
        if not one.key.startswith(RETURN) or not isinstance(one.value, str) or not one.value:
            continue
        try:
            pieces = msgspec.json.decode(one.value, type=dict[str, int])
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Malformed(f"order {woo.id}: {one.key} is not what was written") from error
        for line, count in pieces.items():
            found[line] = found.get(line, 0) + count
    return found


def packed(lines: Sequence[tuple[str, int]]) -> str:
    """Return the lines of a return as they are left at an order."""
    pieces: dict[str, int] = {}
    for line, count in lines:
        pieces[line] = pieces.get(line, 0) + count
    return json.dumps(pieces, sort_keys=True)


def signal_of(woo: WooOrder, instance: str, customer: str | None) -> Signal:
    """Return the fact that *woo* stands as it does."""
    return Signal(
        kind=CHANGED,
        dedupe=f"{woo.id}:{woo.version}",
        object=f"{instance}:{woo.id}",
        version=woo.version,
        at=moment(woo.date_modified_gmt),
        subject=customer,
        data={"order": msgspec.to_builtins(woo)},
    )


def order_in(signal: Signal, instance: str) -> WooOrder | None:
    """Return the order that *signal* holds, or None when another adapter sent it."""
    told = signal.data.get("order")
    if signal.kind != CHANGED or not signal.object.startswith(f"{instance}:") or told is None:
        return None
    try:
        return msgspec.convert(told, WooOrder)
    except msgspec.ValidationError as error:
        raise Malformed(f"signal {signal.dedupe}: {error}") from error


def _positive(back: Back, currency: str) -> Money:
    return money(str(back.total).lstrip("-"), currency)


def _line(line: Line, woo: WooOrder, reason: str | None, back: Mapping[str, int]) -> OrderLine:
    left = max(0, line.quantity - back.get(str(line.id), 0))
    note = reason or ("Already returned" if left == 0 else None)
    product = line.variation_id or line.product_id
    return OrderLine(
        id=str(line.id),
        sku=line.sku or str(product),
        title=line.name,
        quantity=line.quantity,
        unit_price=_piece(line, woo.currency),
        returnable=0 if note else left,
        note=note,
        product=ProductId(str(product)) if product else None,
    )


def _piece(line: Line, currency: str) -> Money:
    """Return what one piece was paid with, tax and discount in it, rounded down.

    Rounded up, all pieces together would be more than was paid.
    """
    try:
        whole = Decimal(str(line.total)) + Decimal(str(line.total_tax))
        places = Decimal(1).scaleb(-Money("0", currency).exponent)
        return Money(
            f"{(whole / max(1, line.quantity)).quantize(places, ROUND_DOWN):f}", currency
        )
    except (ValueError, InvalidOperation) as error:
        raise Malformed(f"the shop's line {line.id} has no price: {error}") from error


def _reason(woo: WooOrder, return_days: int, now: datetime) -> str | None:
    """Return why nothing of *woo* can come back, or None."""
    stands = woo.stands
    if stands == "cancelled":
        return "The order was cancelled"
    if stands == "returned":
        return "Already returned"
    if stands not in RETURNABLE:
        return "Not delivered yet"
    done = woo.date_completed_gmt or woo.date_modified_gmt
    if now > moment(done) + timedelta(days=return_days):
        return f"More than {return_days} days since delivery"
    return None
