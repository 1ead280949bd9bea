"""A small shop as a process: `python -m deskhub_orders.simulator`."""

from __future__ import annotations

import json
import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from deskhub_orders.simulator_records import NEXT, ShopRecords
from deskhub_orders.simulator_shop import PUBLIC, Snippet, Storefront
from deskhub_orders.webhook import EVENT_ID, SIGNATURE, TIMESTAMP, sign
from deskhub_sdk.testing import Answer, Hook, Simulator, body_of, refuse

MAX_BATCH = 100
MAX_ORDERS = 50
DEMO_SECRET = "demo-secret-known-to-everybody"  # noqa: S105  as its name says


class ShopSimulator(Simulator):
    """Orders, returns with idempotency keys, signed webhooks, and a storefront.

    ``POST /_sim/ship {"order"}``, ``/_sim/deliver`` and ``/_sim/advance`` are the warehouse
    and the carrier at work: the order changes and the hub is told. Returns made through the
    interface change an order silently.
    """

    name = "orders"
    public = PUBLIC

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "orders",
        webhook_secret: str = DEMO_SECRET,
        inbox: str = "shop",
        inbox_key: str = "shop",
        identity_secret: str = DEMO_SECRET,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        super().__init__(**common)
        self._shop = Storefront(
            Snippet(self.hub, inbox, inbox_key, identity_secret),
            lambda: self.records,
            lambda: self.world,
        )

    def reset(self) -> None:
        """Go back to the world's orders."""
        self.records = ShopRecords.of(self.world)

    def routes(self, app: web.Application) -> None:
        """Add the shop's interface, its website and its control verbs."""
        app.add_routes(
            [
                web.get("/api/account", self.account),
                web.get("/api/orders", self.read),
                web.get("/api/customers/orders", self.by_customer),
                web.post("/api/orders/{id}/returns", self.open_return),
                web.post("/api/orders/{id}/cancel", self.cancel_order),
                web.post("/api/orders/{id}/replacements", self.replace),
                web.post("/api/orders/{id}/reinstate", self.reinstate),
                web.get("/api/returns", self.returns),
                web.post("/api/returns/{id}/cancel", self.cancel_return),
                web.post("/_sim/refunded", self.refunded),
                web.post("/_sim/ship", self.ship),
                web.post("/_sim/deliver", self.deliver),
                web.post("/_sim/advance", self.advance),
            ]
        )
        self._shop.routes(app)

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this system and to believe it."""
        return {**super().settings(), "webhook_secret": self.webhook_secret}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return the verb that moves an order one step, which the shop pushes."""
        return "/_sim/advance", {"order": next(
            number for number, order in self.world.orders.items() if order.status == "paid"
        )}  # fmt: skip

    def dump(self) -> dict[str, Any]:
        """Return customers with their order numbers, all orders and all returns."""
        customers = [
            {
                "number": person.number,
                "name": person.name,
                "orders": [
                    order["number"] for order in self.records.of_customer(person.number)
                ],
            }
            for person in self.world.people.values()
        ]
        return {
            "customers": customers,
            "orders": self.records.orders,
            "returns": self.records.returns,
        }

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take orders and returns back."""
        self.records = ShopRecords(dict(dumped["orders"]), dict(dumped["returns"]))

    async def account(self, _: web.Request) -> web.Response:
        """Say whose token it is."""
        return web.json_response({"shop": "Scree", "scopes": ["orders", "returns"]})

    async def read(self, request: web.Request) -> web.Response:
        """Answer the orders that exist among ``?ids=``, at most 100."""
        ids = _listed(request, "ids")
        self.check_batch(request, ids)
        found = [self.records.orders[key] for key in ids if key in self.records.orders]
        return web.json_response({"orders": found})

    async def by_customer(self, request: web.Request) -> web.Response:
        """Answer the order ids of each of ``?customers=``, newest first, at most 50 each."""
        numbers = _listed(request, "customers")
        found = {
            number: [order["id"] for order in self.records.of_customer(number)[:MAX_ORDERS]]
            for number in numbers
        }
        return web.json_response({"customers": {n: ids for n, ids in found.items() if ids}})

    async def open_return(self, request: web.Request) -> web.Response:
        """Create a return authorization, once per idempotency key."""
        number, wish = request.match_info["id"], await body_of(request)

        def work() -> Answer:
            made = self.records.open_return(number, wish)
            self.count("return_created", request.headers.get("Idempotency-Key", ""))
            return Answer(201, {"return": made})

        return self.once(request, wish, work)

    async def returns(self, request: web.Request) -> web.Response:
        """Answer the returns made under ``?reference=``."""
        wanted = request.query.get("reference")
        found = [one for one in self.records.returns.values() if one["reference"] == wanted]
        return web.json_response({"returns": found})

    async def cancel_return(self, request: web.Request) -> web.Response:
        """Cancel a return; one that is cancelled stays so."""
        key = request.match_info["id"]
        if self.records.cancel_return(key):
            self.count("return_cancelled", key)
        return web.json_response({"return": self.records.returns[key]})

    async def cancel_order(self, request: web.Request) -> web.Response:
        """Cancel an order that has not left, once per idempotency key."""
        number, wish = request.match_info["id"], await body_of(request)

        def work() -> Answer:
            order = self.records.cancel(number, wish.get("reference"))
            self.count("order_cancelled", request.headers.get("Idempotency-Key", ""))
            return Answer(200, {"order": deepcopy(order)})

        return self.once(request, wish, work)

    async def replace(self, request: web.Request) -> web.Response:
        """Order something in place of what comes back, once per idempotency key."""
        number, wish = request.match_info["id"], await body_of(request)

        def work() -> Answer:
            made = self.records.replace(number, wish)
            self.count("replacement_ordered", request.headers.get("Idempotency-Key", ""))
            return Answer(201, {"order": deepcopy(made)})

        return self.once(request, wish, work)

    async def reinstate(self, request: web.Request) -> web.Response:
        """Let an order go on whose cancellation carries the reference."""
        wish = await body_of(request)
        order, changed = self.records.reinstate(request.match_info["id"], wish.get("reference"))
        if changed:
            self.count("order_reinstated", str(wish.get("reference")))
        return web.json_response({"order": order})

    async def refunded(self, request: web.Request) -> web.Response:
        """Let the shop believe that an amount went back, whatever the provider did."""
        wish = await body_of(request)
        order = self.records.order(str(wish.get("order", "")))
        order["refunded"] = str(wish.get("amount", "0.00"))
        order["version"] += 1
        return web.json_response({"order": order})

    async def ship(self, request: web.Request) -> web.Response:
        """Hand an order to the carrier and tell the hub."""
        return await self._go(request, "shipped")

    async def deliver(self, request: web.Request) -> web.Response:
        """Deliver an order and tell the hub."""
        return await self._go(request, "delivered")

    async def advance(self, request: web.Request) -> web.Response:
        """Move an order one step forward and tell the hub."""
        return await self._go(request, None)

    async def _go(self, request: web.Request, status: str | None) -> web.Response:
        number = str((await body_of(request)).get("order", ""))
        before = deepcopy(self.records.order(number))
        following = status or NEXT.get(before["status"])
        if following is None:
            refuse(409, "wrong_state", f"order {number} is {before['status']}")
        after = self.records.go(number, following)
        self.count(f"order_{following}", number)
        told = await self.send(self.hook(after), stale=self.hook(before))
        return web.json_response({"order": after, "webhooks": told})

    def hook(self, order: Mapping[str, Any], *, event: str | None = None) -> Hook:
        """Return the signed webhook that tells of *order* as it stands."""
        now, kind = datetime.now(UTC), f"order.{order['status']}"
        key = event or f"evt_{secrets.token_hex(10)}"
        told = {"id": key, "kind": kind, "sent_at": now.isoformat(), "order": dict(order)}
        body = json.dumps(told, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: sign(self.webhook_secret, body),
            EVENT_ID: key,
            TIMESTAMP: str(int(now.timestamp())),
        }
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        return Hook(kind, url, body, headers)

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add where the hub is and the secrets that the two share."""
        parser.add_argument("--webhook-secret", "--secret", default=DEMO_SECRET)
        parser.add_argument("--inbox", default="shop", help="the inbox's id in hub.toml")
        parser.add_argument("--inbox-key", default="shop", help="the inbox's public key")
        parser.add_argument("--identity-secret", default=DEMO_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> ShopSimulator:
        """Build the shop from its command line."""
        return cls(
            hub=options.hub,
            instance=options.instance,
            webhook_secret=options.webhook_secret,
            inbox=options.inbox,
            inbox_key=options.inbox_key,
            identity_secret=options.identity_secret,
            **cls.common(options),
        )


def _listed(request: web.Request, name: str) -> list[str]:
    """Return the comma-separated values of a parameter; 400 for more than 100."""
    values = [value for value in request.query.get(name, "").split(",") if value]
    if len(values) > MAX_BATCH:
        refuse(400, "too_many", f"at most {MAX_BATCH} {name} at once")
    return values


if __name__ == "__main__":
    sys.exit(ShopSimulator.main())
