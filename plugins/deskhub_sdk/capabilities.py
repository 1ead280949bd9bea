"""Typed services of one adapter, addressed rather than broadcast.

Every read takes many ids and answers a mapping; an id without an answer is simply absent.
Every write takes an idempotency key and happens in a step of an action.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from deskhub_sdk.records import (
    CustomerMatch,
    Order,
    OrderId,
    Payment,
    Product,
    ProductId,
    Ticket,
    TicketId,
)


@runtime_checkable
class Orders(Protocol):
    """``orders@1``: the shop's orders."""

    async def get_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        """Return the orders that exist among *ids*."""
        ...

    async def orders_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        """Return each customer's order ids, newest first, at most 50 each."""
        ...


@runtime_checkable
class Products(Protocol):
    """``products@1``: products with stock and price."""

    async def get_products(self, ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist among *ids*."""
        ...


@runtime_checkable
class Variants(Protocol):
    """``variants@1``: what an article may be exchanged for."""

    async def variants_of(
        self, ids: Sequence[ProductId]
    ) -> Mapping[ProductId, Sequence[Product]]:
        """Return each product's model in every size and colour, itself included.

        *stock* is what can be promised now; a variant without any is listed as well.
        """
        ...


@runtime_checkable
class Payments(Protocol):
    """``payments@1``: captured payments by order number."""

    async def get_payments(self, orders: Sequence[OrderId]) -> Mapping[OrderId, Payment]:
        """Return the payment of each order that has one."""
        ...


@runtime_checkable
class Customers(Protocol):
    """``customers@1``: the person records of a CRM, by the shop's customer number."""

    async def get_customers(self, subjects: Sequence[str]) -> Mapping[str, CustomerMatch]:
        """Return the records that exist among *subjects*."""
        ...


@runtime_checkable
class Tickets(Protocol):
    """``tickets@1``: cases by id, and the open ones of a customer."""

    async def get_tickets(self, ids: Sequence[TicketId]) -> Mapping[TicketId, Ticket]:
        """Return the tickets that exist among *ids*."""
        ...

    async def tickets_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[TicketId]]:
        """Return each customer's ticket ids, newest first, at most 50 each."""
        ...


CAPABILITIES: Mapping[str, type] = {
    "orders@1": Orders,
    "products@1": Products,
    "variants@1": Variants,
    "payments@1": Payments,
    "customers@1": Customers,
    "tickets@1": Tickets,
}

F = TypeVar("F", bound=Callable[..., Awaitable[object]])


def capability(name: str) -> Callable[[F], F]:
    """Mark a method of an adapter as part of the capability *name* (``orders@1``)."""
    if name not in CAPABILITIES:
        raise ValueError(
            f"unknown capability {name!r}; known: {', '.join(sorted(CAPABILITIES))}"
        )

    def mark(method: F) -> F:
        method.__deskhub_capability__ = name  # type: ignore[attr-defined]  # read by the host
        return method

    return mark
