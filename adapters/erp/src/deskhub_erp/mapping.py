"""What the ERP answers, checked and turned into records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from deskhub_sdk import Malformed, Money, Product, ProductId
from deskhub_sdk.rest import Wire

Amount = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


class Article(Wire, frozen=True):
    """A product with its stock in pieces; *inbound* is what is expected from returns."""

    id: str
    sku: str
    name: str
    list_price: Amount
    currency: str
    quantity_on_hand: int
    inbound: int = 0
    location: str | None = None
    lot: str | None = None


class Articles(Wire, frozen=True):
    """Products as an answer; *missing* are ids that the lenient read skipped."""

    products: tuple[Article, ...]
    missing: tuple[str, ...] = ()


class VariantsOf(Wire, frozen=True):
    """The same model in every size and colour, by the product that was asked for."""

    variants: Mapping[str, tuple[Article, ...]]


class Sold(Wire, frozen=True):
    """What a customer bought, newest first."""

    product_ids: tuple[str, ...]


class SoldBy(Wire, frozen=True):
    """What each customer bought."""

    customers: Mapping[str, Sold]


class ReceiptLine(Wire, frozen=True):
    """How many of an article are expected."""

    sku: str
    quantity: int


class Receipt(Wire, frozen=True):
    """Goods that the warehouse expects; *reference* is what the caller named it."""

    id: str
    reference: str
    state: Literal["expected", "cancelled", "received"]
    place: str
    carrier: str
    label: str
    lines: tuple[ReceiptLine, ...] = ()


class Receipts(Wire, frozen=True):
    """Receipts as an answer."""

    receipts: tuple[Receipt, ...]


class Booked(Wire, frozen=True):
    """A webhook's body: goods were booked in."""

    id: str
    kind: str
    sent_at: Annotated[datetime, msgspec.Meta(tz=True)]
    receipt: Receipt
    order: str | None = None


class Reservation(Wire, frozen=True):
    """Articles set aside for an order until they leave, or are released."""

    id: str
    state: Literal["held", "released"]
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class CreditNote(Wire, frozen=True):
    """A credit note; a draft can still be cancelled."""

    id: str
    number: str
    state: Literal["draft", "cancelled", "posted"]
    account: str
    amount: Amount
    currency: str


class CreditNotes(Wire, frozen=True):
    """Credit notes as an answer."""

    credit_notes: tuple[CreditNote, ...]


class Refused(Wire, frozen=True):
    """Why a call was refused; *id* is the one bad id of a batch."""

    error: str
    id: str | None = None


def product_of(article: Article) -> Product:
    """Return the contract's record of *article*."""
    try:
        price = Money(article.list_price, article.currency)
    except ValueError as error:
        raise Malformed(f"product {article.id}: {error}") from error
    return Product(
        id=ProductId(article.id),
        sku=article.sku,
        name=article.name,
        price=price,
        stock=article.quantity_on_hand,
        location=article.location,
        batch=article.lot,
    )
