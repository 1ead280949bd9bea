"""The shapes of Shopify's answers, one for each document."""

from __future__ import annotations

import msgspec

from deskhub_orders_shopify.graphql import UserError
from deskhub_orders_shopify.mapping import Aware, Bag, Camel, Lines, Node, Page, ShopOrder
from deskhub_sdk import Money

# A payment that may still take something back, and money that is on its way back.
TAKEN = frozenset({"SALE", "CAPTURE"})
GOING = frozenset({"SUCCESS", "PENDING", "AWAITING_RESPONSE"})
FAILED = frozenset({"ERROR", "FAILURE"})


class Scope(Camel, frozen=True):
    """A right that the shop's owner gave the app."""

    handle: str


class Installation(Camel, frozen=True):
    """What the app may do."""

    access_scopes: tuple[Scope, ...]


class Shop(Camel, frozen=True):
    """The shop."""

    name: str
    currency_code: str


class ShopAnswer(Camel, frozen=True):
    """Whose token it is."""

    shop: Shop
    current_app_installation: Installation


class NodesAnswer(Camel, frozen=True):
    """Objects at the places of their ids; null where there is none."""

    nodes: tuple[msgspec.Raw, ...]


class OrderIds(Camel, frozen=True):
    """Orders by id, newest first."""

    nodes: tuple[Node, ...] = ()


class CustomerNode(Camel, frozen=True):
    """A customer; another object has no orders."""

    id: str = ""
    orders: OrderIds = OrderIds()


class CustomersAnswer(Camel, frozen=True):
    """Customers at the places of their ids."""

    nodes: tuple[CustomerNode | None, ...]


class MoreLines(Camel, frozen=True):
    """An order's further lines."""

    line_items: Lines


class LinesAnswer(Camel, frozen=True):
    """The same, or null when the order is gone."""

    order: MoreLines | None


class OrderPage(Camel, frozen=True):
    """A page of orders."""

    nodes: tuple[ShopOrder, ...]
    page_info: Page


class ChangedAnswer(Camel, frozen=True):
    """The same as an answer."""

    orders: OrderPage


class Sold(Camel, frozen=True):
    """An order's line, by its id and its article."""

    id: str
    sku: str | None = None


class SentLine(Camel, frozen=True):
    """A line in a parcel."""

    id: str
    line_item: Sold


class ReturnableLine(Camel, frozen=True):
    """How many pieces of a parcel's line can come back."""

    quantity: int
    fulfillment_line_item: SentLine


class _ReturnableLines(Camel, frozen=True):
    nodes: tuple[ReturnableLine, ...]


class _Parcel(Camel, frozen=True):
    returnable_fulfillment_line_items: _ReturnableLines


class _Parcels(Camel, frozen=True):
    nodes: tuple[_Parcel, ...]


class ReturnableAnswer(Camel, frozen=True):
    """What can come back, parcel by parcel, and the id of the reason "other"."""

    returnable_fulfillments: _Parcels
    return_reason_definitions: OrderIds

    @property
    def reason(self) -> str | None:
        """Return the id of a reason that fits everything, if the shop has it."""
        return next((one.id for one in self.return_reason_definitions.nodes), None)

    def lines(self) -> tuple[ReturnableLine, ...]:
        """Return the lines of all parcels."""
        return tuple(
            line
            for parcel in self.returnable_fulfillments.nodes
            for line in parcel.returnable_fulfillment_line_items.nodes
        )

    def of(self, line: str, sku: str) -> tuple[ReturnableLine, ...]:
        """Return the parcels' lines of one of the order's, by its id or else its article."""
        every = self.lines()
        found = [one for one in every if one.fulfillment_line_item.line_item.id == line]
        by_sku = [
            one for one in every if sku and one.fulfillment_line_item.line_item.sku == sku
        ]
        return tuple(found or by_sku)

    def by_line(self) -> dict[str, int]:
        """Return how many pieces of each of the order's lines can come back."""
        left: dict[str, int] = {}
        for one in self.lines():
            line = one.fulfillment_line_item.line_item.id
            left[line] = left.get(line, 0) + one.quantity
        return left


class _Noted(Camel, frozen=True):
    return_reason_note: str = ""


class _Notes(Camel, frozen=True):
    nodes: tuple[_Noted, ...] = ()


class Return(Camel, frozen=True):
    """A return; *name* is what people call it."""

    id: str
    name: str
    status: str
    return_line_items: _Notes = _Notes()

    @property
    def note(self) -> str:
        """Return the first line's note."""
        return next((one.return_reason_note for one in self.return_line_items.nodes), "")

    @property
    def is_open(self) -> bool:
        """Return whether it stands."""
        return self.status not in {"CANCELED", "DECLINED"}


class _Returns(Camel, frozen=True):
    nodes: tuple[Return, ...]


class _WithReturns(Camel, frozen=True):
    returns: _Returns


class ReturnsAnswer(Camel, frozen=True):
    """An order's returns."""

    order: _WithReturns | None


class MadeReturn(Camel, frozen=True):
    """A return, or why there is none."""

    user_errors: tuple[UserError, ...]
    made: Return | None = msgspec.field(name="return", default=None)


class CreateReturnAnswer(Camel, frozen=True):
    """The same as an answer."""

    made: MadeReturn = msgspec.field(name="returnCreate")


class CancelledReturn(Camel, frozen=True):
    """A return that was cancelled, or why not."""

    done: MadeReturn = msgspec.field(name="returnCancel")


class Transaction(Camel, frozen=True):
    """A payment or its way back; *parent_transaction* is what it takes back from."""

    id: str
    kind: str
    status: str
    amount_set: Bag
    gateway: str | None = None
    formatted_gateway: str | None = None
    parent_transaction: Node | None = None

    @property
    def money(self) -> Money:
        """Return the amount as the customer saw it."""
        return self.amount_set.presentment_money.money


class _Status(Camel, frozen=True):
    status: str


class _Statuses(Camel, frozen=True):
    nodes: tuple[_Status, ...] = ()


class Refund(Camel, frozen=True):
    """A refund as the shop booked it; its transactions say what became of the money."""

    id: str
    total_refunded_set: Bag
    note: str | None = None
    transactions: _Statuses = _Statuses()

    @property
    def has_failed(self) -> bool:
        """Return whether a payment provider refused: the refund is booked, no money moves."""
        return any(one.status in FAILED for one in self.transactions.nodes)

    @property
    def is_pending(self) -> bool:
        """Return whether a payment provider has not answered yet."""
        return any(one.status in GOING - {"SUCCESS"} for one in self.transactions.nodes)


class OrderMoney(Camel, frozen=True):
    """An order's payments and refunds."""

    id: str
    transactions: tuple[Transaction, ...]
    refunds: tuple[Refund, ...]

    def left(self) -> list[tuple[Transaction, int]]:
        """Return each payment with what it can still take back, in minor units."""
        back: dict[str, int] = {}
        for one in self.transactions:
            if one.kind == "REFUND" and one.status in GOING and one.parent_transaction:
                parent = one.parent_transaction.id
                back[parent] = back.get(parent, 0) + one.money.minor
        taken = [
            one for one in self.transactions if one.kind in TAKEN and one.status == "SUCCESS"
        ]
        return [(one, one.money.minor - back.get(one.id, 0)) for one in taken]


class MoneyAnswer(Camel, frozen=True):
    """The same as an answer."""

    order: OrderMoney | None


class _Refunded(Camel, frozen=True):
    user_errors: tuple[UserError, ...]
    refund: Refund | None = None


class RefundAnswer(Camel, frozen=True):
    """A refund, or why there is none."""

    made: _Refunded = msgspec.field(name="refundCreate")


class _Cancellation(Camel, frozen=True):
    staff_note: str | None = None


class Cancellable(Camel, frozen=True):
    """Whether an order is cancelled, and what was noted then."""

    id: str
    name: str
    cancelled_at: Aware | None = None
    cancellation: _Cancellation | None = None


class Cancelled(Camel, frozen=True):
    """The same as an answer."""

    order: Cancellable | None


class _Job(Camel, frozen=True):
    id: str
    done: bool


class _Cancelling(Camel, frozen=True):
    errors: tuple[UserError, ...] = msgspec.field(name="orderCancelUserErrors")
    job: _Job | None = None


class CancelOrderAnswer(Camel, frozen=True):
    """The work that cancels an order, or why there is none."""

    done: _Cancelling = msgspec.field(name="orderCancel")
