"""What Tryton answers, checked and turned into the contract's records."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Literal

from deskhub_erp_tryton.wire import Moment, Number, money
from deskhub_sdk import Product, ProductId
from deskhub_sdk.rest import Wire
from deskhub_sdk.steps import NO_MONEY

State = Literal["draft", "quotation", "confirmed", "processing", "done", "cancelled"]
CONFIRMED: frozenset[str] = frozenset({"confirmed", "processing", "done"})


class Coded(Wire, frozen=True):
    """A record that is known by its code."""

    code: str | None = None


class Party(Wire, frozen=True):
    """Who bought; *code* is the shop's customer number."""

    id: int
    code: str | None = None
    name: str | None = None


class Template(Wire, frozen=True):
    """What variants of a product share."""

    name: str = ""
    list_price: Number | None = None


class Item(Wire, frozen=True):
    """A product, known by its code and by any of its identifiers."""

    id: int
    code: str | None = None
    identifiers: tuple[Coded, ...] = ()
    template: Template | None = None
    quantity: float | None = None
    forecast_quantity: float | None = None

    def names(self) -> set[str]:
        """Return every code that it is known by."""
        codes = (self.code, *(one.code for one in self.identifiers))
        return {code for code in codes if code}


class Line(Wire, frozen=True):
    """A line of a sale; comments and titles have no product."""

    id: int
    quantity: float | None = None
    unit_price: Number | None = None
    product: Item | None = None


class Shipment(Wire, frozen=True):
    """A parcel that is to come back."""

    id: int
    state: Literal["draft", "received", "done", "cancelled"]
    number: str | None = None
    write_date: Moment | None = None
    create_date: Moment | None = None


class Invoice(Wire, frozen=True):
    """An invoice; a negative one is a credit note."""

    id: int
    state: Literal["draft", "validated", "posted", "paid", "cancelled"]
    number: str | None = None
    total_amount: Number | None = None


class Sale(Wire, frozen=True):
    """An order, or with negative quantities a return."""

    id: int
    state: State
    number: str | None = None
    reference: str | None = None
    shipment_state: str | None = None
    invoice_state: str | None = None
    currency: Coded | None = None
    party: Party | None = None
    lines: tuple[Line, ...] = ()
    shipment_returns: tuple[Shipment, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    write_date: Moment | None = None
    create_date: Moment | None = None

    @property
    def money(self) -> str:
        """Return the currency's code."""
        return (self.currency.code if self.currency is not None else None) or NO_MONEY.currency

    @property
    def shown(self) -> str:
        """Return what people call it."""
        return self.reference or self.number or f"#{self.id}"

    def line_of(self, sku: str) -> Line | None:
        """Return the line that sold *sku*."""
        return next(
            (one for one in self.lines if one.product and sku in one.product.names()), None
        )

    @property
    def is_given_up(self) -> bool:
        """Return whether nothing of this return is expected any more."""
        parcels = self.shipment_returns
        return self.state == "cancelled" or (
            bool(parcels) and all(one.state == "cancelled" for one in parcels)
        )


class Act(Wire, frozen=True):
    """What a complaint leads to; *result* is ``sale.sale,17`` once it was done."""

    result: str | None = None


class Complaint(Wire, frozen=True):
    """A return as Tryton's people see it; *reference* is what the hub named it."""

    id: int
    state: Literal["draft", "waiting", "approved", "rejected", "done", "cancelled"]
    number: str | None = None
    reference: str | None = None
    actions: tuple[Act, ...] = ()

    @property
    def sale(self) -> int | None:
        """Return the id of the return that it led to."""
        results = (one.result for one in self.actions if one.result)
        found = next((one for one in results if one.startswith("sale.sale,")), None)
        return int(found.partition(",")[2]) if found else None


class Company(Wire, frozen=True):
    """Whose books these are."""

    id: int
    rec_name: str = ""
    currency: Coded | None = None


class Place(Wire, frozen=True):
    """A warehouse, or whatever else has an id alone."""

    id: int


def product_of(key: str, item: Item, currency: str) -> Product:
    """Return *item*, asked for as *key*, with what can be promised of it."""
    template = item.template or Template()
    return Product(
        id=ProductId(key),
        sku=item.code or key,
        name=template.name or item.code or key,
        price=money(template.list_price, currency),
        stock=floor(item.quantity or 0.0),
    )


def pieces_back(returns: Sequence[Sale], sku: str) -> int:
    """Return how many of *sku* are on returns that still stand."""
    lines = (one.line_of(sku) for one in returns if not one.is_given_up)
    return -sum(floor(line.quantity or 0) for line in lines if line is not None)
