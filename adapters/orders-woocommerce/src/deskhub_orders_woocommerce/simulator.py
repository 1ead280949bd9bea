"""A small WooCommerce as a process: `python -m deskhub_orders_woocommerce.simulator`."""

from __future__ import annotations

import base64
import html
import json
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from aiohttp import web

from deskhub_orders_woocommerce.client import API
from deskhub_orders_woocommerce.simulator_records import NotPossible, Shop, paged
from deskhub_sdk import webhooks
from deskhub_sdk.testing import Hook, Simulator, body_of

DEMO_SECRET = 'demo & "known" to everybody'  # noqa: S105  as its name says
KEY = "ck_simulated"
WRITE_S = 0.25
_INCLUDE = re.compile(r"[0-9]+(,[0-9]+)*\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\Z")


class WooSimulator(Simulator):
    """Orders, changes that are merged, refunds without any key, and webhooks sent once.

    Like the real one it refuses what it cannot do with status 500, drops unknown ids, refuses
    a whole batch for one id that is no number, and signs with the secret as it was typed.
    ``POST /_sim/advance {"order"}`` moves an order on, ``/_sim/refund`` is a refund in the
    back office.
    """

    name = "orders_woocommerce"
    # Basic authorization is checked here: the base asks for a bearer.
    public = (f"{API}/*",)

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "orders-woocommerce",
        webhook_secret: str = DEMO_SECRET,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        self.shop = Shop()
        super().__init__(**common)

    def reset(self) -> None:
        """Go back to the world's orders."""
        self.shop = Shop.of(self.world)

    def routes(self, app: web.Application) -> None:
        """Add the shop's interface and the control verbs."""
        app.add_routes([
            web.get(f"{API}/orders", self.orders),
            web.put(f"{API}/orders/{{id}}", self.change),
            web.get(f"{API}/orders/{{id}}/refunds", self.refunds),
            web.post(f"{API}/orders/{{id}}/refunds", self.refund),
            web.post("/_sim/advance", self.advance),
            web.post("/_sim/refund", self.refund_elsewhere),
        ])  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this shop and to believe it."""
        return {
            "base_url": self.url, "consumer_key": KEY, "token": self.token or "cs_any",
            "webhook_secret": self.webhook_secret, "customer_format": "C-{id}",
            "orders_ttl_s": 0, "write_timeout_s": WRITE_S,
        }  # fmt: skip

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return one more step on the way of an order that is being packed."""
        return "/_sim/advance", {"order": 1051}

    def dump(self) -> dict[str, Any]:
        """Return all orders and refunds."""
        return {"orders": self.shop.orders, "refunds": self.shop.refunds}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        orders = {int(number): one for number, one in dumped["orders"].items()}
        refunds = {int(number): one for number, one in dumped["refunds"].items()}
        self.shop = Shop(orders=orders, refunds=refunds)

    async def orders(self, request: web.Request) -> web.Response:
        """List orders by id, customer or time of change."""
        if (refused := self._refused(request)) is not None:
            return refused
        query = dict(request.query)
        include = query.get("include")
        bad = include is not None and _INCLUDE.match(include) is None
        bad |= "customer" in query and not query["customer"].isdigit()
        bad |= "modified_after" in query and _MOMENT.match(query["modified_after"]) is None
        bad |= not 1 <= int(query.get("per_page", "10")) <= 100
        if bad:
            return _fault(400, "rest_invalid_param", "Invalid parameter(s)")
        self.check_batch(request, include.split(",") if include else [])
        rows, counted = paged(self.shop.listed(query), query)
        if "_fields" in query:
            rows = [{name: row[name] for name in query["_fields"].split(",")} for row in rows]
        return web.json_response(rows, headers=counted)

    async def change(self, request: web.Request) -> web.Response:
        """Merge a change into an order."""
        number = self._number(request)
        if (refused := self._refused(request)) is not None:
            return refused
        if number is None:
            return _fault(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        wish = await body_of(request)
        changed = self.shop.change(number, wish)
        keys = [one["key"] for one in wish.get("meta_data", ())]
        self.count("changed", ",".join(keys))
        self._tell(changed)
        return web.json_response(changed)

    async def refunds(self, request: web.Request) -> web.Response:
        """List the refunds of an order."""
        number = self._number(request)
        if (refused := self._refused(request)) is not None:
            return refused
        if number is None:
            return _fault(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
        rows, counted = paged(self.shop.refunds[number], dict(request.query))
        return web.json_response(rows, headers=counted)

    async def refund(self, request: web.Request) -> web.Response:
        """Refund, as often as it is asked to."""
        number = self._number(request)
        if (refused := self._refused(request)) is not None:
            return refused
        if number is None:
            return _fault(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
        try:
            made = self.shop.refund(number, await body_of(request))
        except NotPossible as why:
            return _fault(500, "woocommerce_rest_cannot_create_order_refund", str(why))
        self.count("refund", made["reason"])
        self._tell(self.shop.orders[number])
        return web.json_response(made, status=201)

    async def advance(self, request: web.Request) -> web.Response:
        """Let an order go on."""
        order = self.shop.advance(int((await body_of(request))["order"]))
        self._tell(order)
        return web.json_response(order)

    async def refund_elsewhere(self, request: web.Request) -> web.Response:
        """Refund as somebody in the back office does."""
        wish = await body_of(request)
        made = self.shop.put_refund(int(wish["order"]), str(wish["amount"]), "")
        self._tell(self.shop.orders[int(wish["order"])])
        return web.json_response(made)

    def hook(self, order: Mapping[str, Any], topic: str = "order.updated") -> Hook:
        """Return *order* as the webhook that leaves now.

        The shop keeps its secret with entities in it and signs with what was typed.
        """
        body = json.dumps(order).encode()
        secret = html.unescape(html.escape(self.webhook_secret, quote=True))
        at = datetime.now(UTC)
        signed = webhooks.sign(webhooks.WOOCOMMERCE, [secret], body, at=at)
        delivery = sha256(f"7{int(at.timestamp())}".encode()).hexdigest()[:32]
        headers = {
            "Content-Type": "application/json", "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-ID": "7", "X-WC-Webhook-Delivery-ID": delivery, **signed,
        }  # fmt: skip
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        return Hook(topic, url, body, headers)

    def _tell(self, order: Mapping[str, Any]) -> None:
        self.in_background(self._deliver(self.hook(order)))

    def _number(self, request: web.Request) -> int | None:
        found = request.match_info["id"]
        return int(found) if found.isdigit() and int(found) in self.shop.orders else None

    def _refused(self, request: web.Request) -> web.Response | None:
        if self.token is None:
            return None
        pair = base64.b64encode(f"{KEY}:{self.token}".encode()).decode()
        shown = request.headers.get("Authorization", "")
        if compare_digest(shown.encode(), f"Basic {pair}".encode()):
            return None
        code = "woocommerce_rest_cannot_view"
        return _fault(401, code, "Sorry, you cannot list resources.")

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add the secret that shop and hub share."""
        parser.add_argument("--webhook-secret", default=DEMO_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> WooSimulator:
        """Build the shop from its command line."""
        return cls(
            hub=options.hub,
            instance=options.instance,
            webhook_secret=options.webhook_secret,
            **cls.common(options),
        )


def _fault(status: int, code: str, message: str) -> web.Response:
    told = {"code": code, "message": message, "data": {"status": status}}
    return web.json_response(told, status=status)


if __name__ == "__main__":
    sys.exit(WooSimulator.main())
