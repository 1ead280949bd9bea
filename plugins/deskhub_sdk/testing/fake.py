"""A business system for adapters that have none yet: the demo world as plain JSON.

``GET /orders?ids=1,2`` answers ``{id: record}`` in the shapes of the contract, and so do
``/products``, ``/payments``, ``/customers``, ``/tickets``, ``/orders/of`` and ``/tickets/of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from deskhub_sdk.records import (
    CustomerMatch,
    Payment,
    Product,
    ProductId,
    SignInResult,
    Ticket,
    TicketId,
)
from deskhub_sdk.testing.answers import refuse
from deskhub_sdk.testing.samples import order
from deskhub_sdk.testing.simulator import Simulator
from deskhub_sdk.testing.world import World

MAX_BATCH = 100


class Fake(Simulator):
    """Answers at most 100 ids a call."""

    name = "fake"

    def reset(self) -> None:
        """Read the world anew."""
        self.tables = _tables(self.world)

    def routes(self, app: web.Application) -> None:
        """Add one address for each kind of record."""
        app.router.add_get("/account", self._account)
        app.router.add_get("/me", self._me)
        app.router.add_get("/{kind:[a-z/]+}", self._read)

    async def _account(self, _: web.Request) -> web.Response:
        return web.json_response({"account": "demo"})

    async def _me(self, _: web.Request) -> web.Response:
        person = next(iter(self.world.people.values()))
        result = SignInResult(issuer=self.url, subject=person.number, name=person.name)
        return web.json_response(msgspec.to_builtins(result))

    async def _read(self, request: web.Request) -> web.Response:
        table = self.tables.get(request.match_info["kind"])
        if table is None:
            refuse(404, "unknown", "there is no such address")
        ids = [one for one in request.query.get("ids", "").split(",") if one]
        if len(ids) > MAX_BATCH:
            refuse(400, "too_many", f"at most {MAX_BATCH} ids")
        return web.json_response({one: table[one] for one in ids if one in table})


def _tables(world: World) -> dict[str, dict[str, Any]]:
    tables: dict[str, Mapping[str, object]] = {
        "orders": {number: order(world, number) for number in world.orders},
        "orders/of": {
            person: [one.number for one in world.orders_of(person)] for person in world.people
        },
        "products": {
            one.id: Product(
                id=ProductId(one.id), sku=one.sku, name=one.name, price=one.price,
                stock=one.stock, location=one.location, batch=one.batch,
            )
            for one in world.items.values()
        },
        "payments": {
            one.order: Payment(
                id=one.id, order=one.order, method=one.method, captured=one.captured,
                refunded=one.refunded, at=one.at,
            )
            for one in world.payments.values()
        },
        "customers": {
            one.number: CustomerMatch(
                subject=one.number, confidence=1.0, name=one.name, email=one.email,
                phone=one.phone, language=one.language, tags=one.tags,
            )
            for one in world.people.values()
        },
        "tickets": {
            one.key: Ticket(
                id=TicketId(one.key), key=one.key, title=one.title, status=one.status,
                updated_at=one.updated_at, assignee=one.assignee,
            )
            for one in world.cases.values()
        },
        "tickets/of": {
            person: [one.key for one in world.cases_of(person)] for person in world.people
        },
    }  # fmt: skip
    return {name: msgspec.to_builtins(table) for name, table in tables.items()}
