"""A small ERP: products in batches, expected receipts, credit notes.

It refuses a whole batch for one bad id, unless it is asked leniently, and its receipts know no
idempotency keys: announced twice, they are expected twice. Real ERPs do both.
"""

from __future__ import annotations

import json
import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web

from deskhub_erp.webhook import BOOKED, SIGNATURE, sign
from deskhub_sdk.testing.simulator import Answer, Hook, Simulator, body_of, refuse

MAX_IDS = 100


class Erp(Simulator):
    """Warehouse and accounting of the demo's shop."""

    name: ClassVar[str] = "erp"

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "erp",
        webhook_secret: str = "",
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        super().__init__(**common)

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Take the secret that signs booked receipts."""
        parser.add_argument(
            "--webhook-secret", default="", help="what webhooks are signed with"
        )

    @classmethod
    def made(cls, options: Namespace) -> Erp:
        """Build the ERP from its command line."""
        return cls(
            hub=options.hub,
            instance=options.instance,
            webhook_secret=options.webhook_secret,
            **cls.common(options),
        )

    def reset(self) -> None:
        """Take the products of the world, with nothing expected or credited."""
        self.inbound: dict[str, int] = {}
        self.receipts: dict[str, dict[str, Any]] = {}
        self.credit_notes: dict[str, dict[str, Any]] = {}
        self.reservations: dict[str, dict[str, Any]] = {}

    def dump(self) -> dict[str, Any]:
        """Return what is expected and credited."""
        return {
            "inbound": self.inbound,
            "receipts": self.receipts,
            "credit_notes": self.credit_notes,
            "reservations": self.reservations,
        }

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        self.inbound = dict(dumped["inbound"])
        self.receipts = dict(dumped["receipts"])
        self.credit_notes = dict(dumped["credit_notes"])
        self.reservations = dict(dumped["reservations"])

    def routes(self, app: web.Application) -> None:
        """Add the ERP's addresses."""
        app.router.add_get("/api/company", self._company)
        app.router.add_post("/api/products/read", self._products)
        app.router.add_post("/api/products/variants", self._variants)
        app.router.add_post("/api/sales/by-customer", self._sales)
        app.router.add_post("/api/reservations", self._reserve)
        app.router.add_post("/api/reservations/{id}/release", self._release)
        app.router.add_post("/api/receipts", self._announce)
        app.router.add_get("/api/receipts", self._receipts)
        app.router.add_post("/api/receipts/{id}/cancel", self._cancel_receipt)
        app.router.add_post("/_sim/book", self._book)
        app.router.add_get("/api/credit-notes", self._credits)
        app.router.add_post("/api/credit-notes", self._credit)
        app.router.add_post("/api/credit-notes/{id}/cancel", self._cancel_credit)

    async def _company(self, _request: web.Request) -> web.Response:
        return web.json_response({"name": "Scree Trading", "fiscal_year": 2026})

    async def _products(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        ids, lenient = [str(one) for one in body.get("ids", ())], bool(body.get("lenient"))
        if len(ids) > MAX_IDS:
            refuse(400, "too_many", f"at most {MAX_IDS} at a time")
        if not lenient:
            self.check_batch(request, ids)
        missing = [one for one in ids if one not in self.world.items]
        if missing and not lenient:
            refuse(400, "bad_id", f"cannot read id {missing[0]}", id=missing[0])
        found = [self._product(one) for one in ids if one in self.world.items]
        return web.json_response({"products": found, "missing": missing})

    def _product(self, key: str) -> dict[str, Any]:
        item = self.world.items[key]
        return {
            "id": item.id, "sku": item.sku, "name": item.name,
            "list_price": item.price.amount, "currency": item.price.currency,
            "quantity_on_hand": self._free(item.sku, item.stock),
            "inbound": self.inbound.get(item.sku, 0),
            "location": item.location, "lot": item.batch,
        }  # fmt: skip

    async def _variants(self, request: web.Request) -> web.Response:
        wanted = [str(one) for one in (await body_of(request)).get("ids", ())][:MAX_IDS]
        items = self.world.items
        found = {
            one: [self._product(i.id) for i in items.values() if i.model == items[one].model]
            for one in wanted
            if one in items
        }
        return web.json_response({"variants": found})

    async def _reserve(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        key = request.headers.get("Idempotency-Key", "")
        return self.once(request, body, lambda: self._set_aside(body, key))

    def _set_aside(self, body: Mapping[str, Any], key: str) -> Answer:
        stocks = {item.sku: item.stock for item in self.world.items.values()}
        lines = body.get("lines") or []
        if not lines or any(line.get("sku") not in stocks for line in lines):
            refuse(422, "unknown_sku", "a reservation is for articles there are")
        for line in lines:
            sku = line["sku"]
            if self._free(sku, stocks[sku]) < int(line["quantity"]):
                refuse(409, "out_of_stock", f"there is not enough of {sku}")
        until = datetime.now(UTC) + timedelta(hours=float(body.get("hours", 48)))
        made = {
            "id": f"RES-{len(self.reservations) + 1:04d}", "state": "held", "lines": lines,
            "order": body.get("order"), "until": until.isoformat(),
        }  # fmt: skip
        self.reservations[str(made["id"])] = made
        self.count("reservation", key)
        return Answer(201, dict(made))

    async def _release(self, request: web.Request) -> web.Response:
        made = self.reservations.get(request.match_info["id"])
        if made is None:
            refuse(404, "no_reservation", "there is no such reservation")
        if made["state"] == "held":
            made["state"] = "released"
            self.count("reservation_released", made["id"])
        return web.json_response(made)

    def _free(self, sku: str, stock: int) -> int:
        """Return how many of *sku* nobody has set aside; what has run out is free again."""
        now = datetime.now(UTC)
        held = [
            one
            for one in self.reservations.values()
            if one["state"] == "held" and datetime.fromisoformat(one["until"]) > now
        ]
        lines = [line for one in held for line in one["lines"] if line["sku"] == sku]
        return stock - sum(int(line["quantity"]) for line in lines)

    async def _sales(self, request: web.Request) -> web.Response:
        wanted = [str(one) for one in (await body_of(request)).get("customers", ())][:MAX_IDS]
        newest = sorted(
            self.world.orders.values(), key=lambda order: order.placed_at, reverse=True
        )
        bought = {
            customer: {
                "product_ids": list(
                    dict.fromkeys(
                        line.product
                        for order in newest
                        if order.customer == customer
                        for line in order.lines
                    )
                )
            }
            for customer in wanted
        }
        return web.json_response({"customers": bought})

    async def _announce(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        lines = body.get("lines") or []
        skus = {item.sku for item in self.world.items.values()}
        if not body.get("reference") or not lines:
            refuse(422, "incomplete", "a receipt has a reference and lines")
        for line in lines:
            if line.get("sku") not in skus:
                refuse(422, "unknown_sku", f"there is no {line.get('sku')}")
        receipt = self._expected(body, lines)
        self.count("receipt", str(body["reference"]))
        return web.json_response(receipt, status=201)

    def _expected(self, body: Mapping[str, Any], lines: list[Any]) -> dict[str, Any]:
        """Take a receipt in and return it."""
        number = len(self.receipts) + 1
        receipt = {
            "id": f"REC-{number:04d}", "reference": str(body["reference"]),
            "order": body.get("order"), "rma": body.get("rma"), "lines": lines,
            "state": "expected", "place": "Hangzhou", "carrier": "SF Express",
            "label": f"SF15{number:011d}",
        }  # fmt: skip
        self.receipts[str(receipt["id"])] = receipt
        self._expect(receipt, +1)
        return receipt

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this system and to believe it."""
        return {**super().settings(), "webhook_secret": self.webhook_secret or "unset"}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return the booking of goods that are expected from now on."""
        self.webhook_secret = self.webhook_secret or "unset"
        sku = next(iter(self.world.items.values())).sku
        lines = [{"sku": sku, "quantity": 1}]
        made = self._expected(
            {"reference": f"kit_{len(self.receipts)}", "order": "1042"}, lines
        )
        return "/_sim/book", {"receipt": made["id"]}

    async def _receipts(self, request: web.Request) -> web.Response:
        wanted = dict(request.query)
        found = [
            one
            for one in self.receipts.values()
            if all(one.get(name) == value for name, value in wanted.items())
        ]
        return web.json_response({"receipts": found})

    async def _cancel_receipt(self, request: web.Request) -> web.Response:
        receipt = self.receipts.get(request.match_info["id"])
        if receipt is None:
            refuse(404, "no_receipt", "there is no such receipt")
        if receipt["state"] == "received":
            refuse(409, "received", "the goods are in already")
        if receipt["state"] == "expected":
            receipt["state"] = "cancelled"
            self._expect(receipt, -1)
            self.count("receipt_cancelled", receipt["reference"])
        return web.json_response(receipt)

    async def _book(self, request: web.Request) -> web.Response:
        """Book the goods of an order in, as the warehouse does, and tell the hub."""
        given = await body_of(request)
        wanted = {str(given.get("order", "")), str(given.get("receipt", ""))}
        found = [r for r in self.receipts.values() if wanted & {str(r["order"]), r["id"]}]
        receipt = next((one for one in found if one["state"] == "expected"), None)
        if receipt is None:
            refuse(404, "no_receipt", "no goods are expected for this")
        receipt["state"] = "received"
        self._expect(receipt, -1)
        self.count("receipt_booked", receipt["id"])
        told = await self.send(self.hook(receipt))
        return web.json_response({"receipt": receipt, "webhooks": told})

    def hook(self, receipt: Mapping[str, Any]) -> Hook:
        """Return the signed webhook that tells of a booked *receipt*."""
        told = {
            "id": f"evt_{secrets.token_hex(10)}", "kind": BOOKED,
            "sent_at": datetime.now(UTC).isoformat(), "receipt": dict(receipt),
            "order": receipt["order"],
        }  # fmt: skip
        body = json.dumps(told, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: sign(self.webhook_secret, body),
        }
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        return Hook(BOOKED, url, body, headers)

    def _expect(self, receipt: Mapping[str, Any], sign: int) -> None:
        for line in receipt["lines"]:
            sku = line["sku"]
            self.inbound[sku] = self.inbound.get(sku, 0) + sign * int(line["quantity"])

    async def _credits(self, request: web.Request) -> web.Response:
        order = request.query.get("order")
        found = [one for one in self.credit_notes.values() if one["order"] == order]
        return web.json_response({"credit_notes": found})

    async def _credit(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        key = request.headers.get("Idempotency-Key", "")
        return self.once(request, body, lambda: self._drafted(body, key))

    def _drafted(self, body: Mapping[str, Any], key: str) -> Answer:
        if not body.get("order") or not body.get("amount"):
            refuse(422, "incomplete", "a credit note has an order and an amount")
        number = 2200 + len(self.credit_notes) + 1
        note = {
            "id": f"cn_{number}", "number": f"CN-{number}", "state": "draft",
            "account": str(body.get("account", "")), "order": body["order"],
            "customer": body.get("customer"), "amount": str(body["amount"]),
            "currency": str(body.get("currency", "")),
        }  # fmt: skip
        self.credit_notes[str(note["id"])] = note
        self.count("credit_note", key)
        return Answer(201, note)

    async def _cancel_credit(self, request: web.Request) -> web.Response:
        note = self.credit_notes.get(request.match_info["id"])
        if note is None:
            refuse(404, "no_credit_note", "there is no such credit note")
        if note["state"] == "posted":
            refuse(409, "posted", "a posted credit note stays")
        if note["state"] == "draft":
            note["state"] = "cancelled"
            self.count("credit_note_cancelled", note["id"])
        return web.json_response(note)


if __name__ == "__main__":
    sys.exit(Erp.main())
