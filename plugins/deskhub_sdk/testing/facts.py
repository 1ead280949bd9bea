"""What the demo world consists of: frozen records of people, products, orders and cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from deskhub_sdk.records import Money

Status = Literal[
    "placed", "paid", "packed", "shipped", "delivered", "completed", "cancelled", "returned"
]
Tier = Literal["standard", "silver", "gold", "vip"]


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote down about a customer."""

    at: datetime
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """A customer. *number* is the shop's own customer number, known to every system."""

    number: str
    name: str
    email: str
    phone: str
    language: str
    city: str
    currency: str
    tier: Tier
    since: datetime
    lifetime: Money
    return_rate: float
    tags: tuple[str, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One sellable product: a variant of a model. *price* is the list price in yuan."""

    id: str
    sku: str
    name: str
    model: str
    variant: str
    category: str
    price: Money
    stock: int
    location: str
    batch: str
    final_sale: bool

    def priced_in(self, currency: str) -> Money:
        """Return the price in *currency* (CNY or USD)."""
        if currency == "CNY":
            return self.price
        return Money.from_minor(self.price.minor // 700 * 100 + 99, currency)


@dataclass(frozen=True, slots=True)
class SoldLine:
    """One line of a sold order."""

    id: str
    product: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    final_sale: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to an order; *code* is a status or ``transit``."""

    code: str
    at: datetime
    place: str | None = None


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """An order as the shop has it. *version* is the number of things that happened."""

    number: str
    customer: str
    status: Status
    lines: tuple[SoldLine, ...]
    history: tuple[Step, ...]
    total: Money
    method: str
    payment: str | None
    carrier: str | None
    tracking: str | None
    channel: Literal["web", "mini_program"]

    @property
    def placed_at(self) -> datetime:
        """Return when the customer ordered."""
        return self.history[0].at

    @property
    def updated_at(self) -> datetime:
        """Return when something last happened."""
        return self.history[-1].at

    @property
    def version(self) -> int:
        """Return a number that grows with every change."""
        return len(self.history)


@dataclass(frozen=True, slots=True)
class Paid:
    """A captured payment of one order."""

    id: str
    order: str
    customer: str
    method: str
    captured: Money
    refunded: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket in the ticket system."""

    key: str
    customer: str
    title: str
    status: Literal["open", "in_progress", "waiting", "done"]
    created_at: datetime
    updated_at: datetime
    order: str | None
    assignee: str | None


@dataclass(frozen=True)
class World:
    """All of it, by number, id or key, in a stable order."""

    now: datetime
    people: Mapping[str, Person] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    orders: Mapping[str, SoldOrder] = field(default_factory=dict)
    payments: Mapping[str, Paid] = field(default_factory=dict)
    cases: Mapping[str, Case] = field(default_factory=dict)

    def orders_of(self, customer: str) -> tuple[SoldOrder, ...]:
        """Return *customer*'s orders, newest first."""
        found = (order for order in self.orders.values() if order.customer == customer)
        return tuple(sorted(found, key=lambda order: order.placed_at, reverse=True))

    def cases_of(self, customer: str) -> tuple[Case, ...]:
        """Return *customer*'s tickets, latest change first."""
        found = (case for case in self.cases.values() if case.customer == customer)
        return tuple(sorted(found, key=lambda case: case.updated_at, reverse=True))
