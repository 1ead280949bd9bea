"""A small Shopify as a process, with its published habits: `python -m ….simulator`.

Failures come with status 200: ``errors`` for a document, ``userErrors`` for a mutation.
``nodes`` has null at the place of an id that it does not know, and a malformed id fails the
whole document. Points run out and come back (`THROTTLED`). A refund without ``@idempotent``
is refused, and one with a key it knows is answered as it was. Creating a return twice is two
returns. Cancelling an order is work that is done later. Webhooks tell what was, in the old
interface's words, signed over the body alone.
"""

from __future__ import annotations

import json
import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from typing import Any, ClassVar
from urllib.parse import urlsplit

from aiohttp import web

from deskhub_orders_shopify.documents import DOCUMENTS, MAX_COST, VERSION, Document
from deskhub_orders_shopify.simulator_orders import webhook_payload
from deskhub_orders_shopify.simulator_records import Refused, ShopifyRecords
from deskhub_sdk.testing import Hook, Simulator, body_of
from deskhub_sdk.webhooks import SHOPIFY, sign

PATH = f"/admin/api/{VERSION}/graphql.json"
BY_NAME: Mapping[str, Document] = {one.name: one for one in DOCUMENTS}
MUTATIONS = frozenset({"CreateReturn", "CancelReturn", "Refund", "CancelOrder"})
SCOPES = ("read_orders", "write_orders", "read_customers", "read_returns", "write_returns")
DEMO_SECRET = "demo-secret-known-to-everybody"  # noqa: S105  as its name says
# Faults of one operation: their subject is "GRAPHQL Refund", beside "POST /admin/…".
_FAULTS = frozenset({"500", "malformed", "timeout_before", "timeout_after", "duplicate"})


class Shopify(Simulator):
    """The Admin GraphQL interface over the demo shop's orders.

    *points* is the size of the bucket and *restore* what comes back in a second, both far more
    than Shopify gives; tests turn them down. *slow_jobs*
    leaves cancellations to ``POST /_sim/work``. *provider* is what becomes of the money of a
    refund: ``SUCCESS``, ``PENDING`` or ``FAILURE``. *errors* are answered, once each and
    oldest first, in place of the next answers: ``(operation, code, after the effect)``.
    """

    name: ClassVar[str] = "orders_shopify"
    public: ClassVar[tuple[str, ...]] = ("/admin/*",)

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "orders-shopify",
        webhook_secret: str = DEMO_SECRET,
        points: float = 50_000,
        restore: float = 25_000,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        self.points, self.restore = points, restore
        self.slow_jobs = False
        self.provider = "SUCCESS"
        self.scopes = SCOPES
        self.errors: list[tuple[str, str, bool]] = []
        super().__init__(**common)

    def reset(self) -> None:
        """Go back to the world's orders and a full bucket."""
        self.records = ShopifyRecords(self.world)
        self._left, self._at = self.points, monotonic()
        self._answers: dict[str, tuple[str, dict[str, Any]]] = {}
        self._jobs: list[tuple[str, str]] = []

    def routes(self, app: web.Application) -> None:
        """Add the one address of the interface, and the warehouse's control verbs."""
        app.router.add_post(PATH, self._graphql)
        app.router.add_post("/_sim/advance", self._advance)
        app.router.add_post("/_sim/work", self._work)

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this shop and to believe it."""
        secret = {"webhook_secret": self.webhook_secret, "customer_prefix": "C-"}
        return {**super().settings(), **secret}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return the verb that moves an order one step, which the shop pushes."""
        order = next(o.number for o in self.world.orders.values() if o.status == "paid")
        return "/_sim/advance", {"order": order}

    def dump(self) -> dict[str, Any]:
        """Return the orders with their returns and refunds."""
        return {"orders": self.records.orders}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take the orders back."""
        self.records.orders = dict(dumped["orders"])

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        asked = await body_of(request)
        fault = self.faults.take(f"GRAPHQL {asked.get('operationName')}", _FAULTS)
        if fault is not None:
            return await self._failing(fault, request, self._answer)
        return await self._answer(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        shown = request.headers.get("X-Shopify-Access-Token", "")
        if self.token is not None and not secrets.compare_digest(shown, self.token):
            return web.json_response({"errors": "[API] Invalid API key or access token"},
                                     status=401)  # fmt: skip
        asked = await body_of(request)
        document = BY_NAME.get(str(asked.get("operationName")))
        if document is None or asked.get("query") != document.text:
            return _failed("undefinedField", "this document is none of those that were checked")
        variables: dict[str, Any] = asked.get("variables") or {}
        ids = variables.get("ids") or ()
        points = document.costs(len(ids))
        if points > MAX_COST or len(ids) > 250:
            return _failed("MAX_COST_EXCEEDED", f"{points} points are too many for one query")
        self._refill()
        if points > self._left:
            return _failed("THROTTLED", "Throttled", self._cost(points, None))
        self._left -= points
        planned = next((one for one in self.errors if one[0] == document.name), None)
        if planned is not None:
            self.errors.remove(planned)
        if planned is not None and not planned[2]:
            return _failed(planned[1], "as planned", self._cost(points, 0))
        try:
            data = self._run(document.name, variables)
        except Refused as error:
            return _failed(error.code, str(error), self._cost(points, 0))
        if planned is not None:
            return _failed(planned[1], "as planned", self._cost(points, points))
        told = {"data": data, "extensions": {"cost": self._cost(points, points)}}
        return web.json_response(told)

    def _run(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        records = self.records
        if operation == "Shop":
            scopes = [{"handle": one} for one in self.scopes]
            return {"shop": {"name": "Scree", "currencyCode": "CNY"},
                    "currentAppInstallation": {"accessScopes": scopes}}  # fmt: skip
        if operation == "Refund":
            return self._refund(variables)
        if operation == "CreateReturn":
            made = records.create_return(variables["input"])
            if made["returnCreate"]["return"]:
                self.count("return_created", made["returnCreate"]["return"]["id"])
            return made
        if operation == "CancelReturn":
            done = records.cancel_return(variables["id"])
            if done["returnCancel"]["return"]:
                self.count("return_cancelled", variables["id"])
            return done
        if operation == "CancelOrder":
            return self._cancel(variables)
        return records.read(operation, variables)

    def _refund(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Refund once per key; the same key with other input is refused."""
        key = str(variables.get("key") or "")
        if not key:
            raise Refused("BAD_REQUEST", "The @idempotent directive needs a key")
        digest = sha256(json.dumps(variables["input"], sort_keys=True).encode()).hexdigest()
        kept = self._answers.get(key)
        if kept is not None:
            if kept[0] != digest:
                raise Refused("BAD_REQUEST", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
            return kept[1]
        made = self.records.refund(variables["input"], self.provider)
        if made["refundCreate"]["refund"]:
            self.count("refund_created", key)
            self._answers[key] = (digest, made)
        return made

    def forget_keys(self) -> None:
        """Forget every idempotency key, as Shopify does after a while."""
        super().forget_keys()
        self._answers.clear()

    def _cancel(self, variables: dict[str, Any]) -> dict[str, Any]:
        refusal = self.records.cannot_cancel(variables["id"])
        job = None
        if refusal is None:
            self._jobs.append((variables["id"], variables["note"]))
            job = {"id": f"gid://shopify/Job/{len(self._jobs)}", "done": not self.slow_jobs}
            if not self.slow_jobs:
                self._do_jobs()
        errors = [] if refusal is None else [
            {"code": "INVALID", "field": ["orderId"], "message": refusal}
        ]  # fmt: skip
        return {"orderCancel": {"job": job, "orderCancelUserErrors": errors}}

    def _do_jobs(self) -> None:
        while self._jobs:
            order, note = self._jobs.pop(0)
            if self.records.cancel(order, note):
                self.count("order_cancelled", order)

    async def _work(self, _: web.Request) -> web.Response:
        self._do_jobs()
        return web.json_response({"done": True})

    async def _advance(self, request: web.Request) -> web.Response:
        """Ship an order, then deliver it, and tell the hub."""
        order = self.records.advance(str((await body_of(request)).get("order")))
        hook = self.hook(order)
        self.in_background(self.send(hook))
        return web.json_response({"order": order["name"], "status": order["_status"]})

    def hook(self, order: dict[str, Any], *, topic: str = "orders/updated") -> Hook:
        """Return the signed webhook that tells how *order* is now."""
        body = json.dumps(webhook_payload(order), ensure_ascii=False).encode()
        now = datetime.now(UTC)
        event = secrets.token_hex(16)
        signed = sign(SHOPIFY, [self.webhook_secret], body, at=now, id=event)
        headers = {
            **signed, "Content-Type": "application/json", "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": urlsplit(self.url).netloc,
            "X-Shopify-API-Version": VERSION, "X-Shopify-Webhook-Id": secrets.token_hex(16),
            "X-Shopify-Triggered-At": now.isoformat(),
        }  # fmt: skip
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        return Hook(kind="order.changed", url=url, body=body, headers=headers)

    def _refill(self) -> None:
        now = monotonic()
        self._left = min(self.points, self._left + (now - self._at) * self.restore)
        self._at = now

    def _cost(self, points: float, actual: float | None) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.points, "currentlyAvailable": self._left,
            "restoreRate": self.restore,
        }  # fmt: skip
        return {
            "requestedQueryCost": points, "actualQueryCost": actual, "throttleStatus": status,
        }  # fmt: skip

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add the secret that webhooks are signed with."""
        parser.add_argument("--webhook-secret", default=DEMO_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> Shopify:
        """Build the shop from its command line."""
        return cls(
            hub=options.hub, instance=options.instance, webhook_secret=options.webhook_secret,
            **cls.common(options),
        )  # fmt: skip


def _failed(code: str, message: str, cost: dict[str, Any] | None = None) -> web.Response:
    told: dict[str, Any] = {"errors": [{"message": message, "extensions": {"code": code}}]}
    if cost is not None:
        told["extensions"] = {"cost": cost}
    return web.json_response(told)


if __name__ == "__main__":
    sys.exit(Shopify.main())
