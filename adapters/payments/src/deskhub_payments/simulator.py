"""A small payment provider as a process: `python -m deskhub_payments.simulator`."""

from __future__ import annotations

import json
import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from deskhub_payments.webhook import SIGNATURE, sign
from deskhub_sdk.testing import Answer, Hook, Simulator, World, body_of, refuse

MAX_BATCH = 100
MAX_OF_CUSTOMER = 20
FIRST_REFUND = 5001
DEMO_SECRET = "demo-secret-known-to-everybody"  # noqa: S105  as its name says


class PaymentsSimulator(Simulator):
    """Captured payments, refunds with idempotency keys, signed webhooks.

    Like the real ones it forgets an idempotency key after 24 hours: ``POST /_sim/expire``
    makes that moment come. ``POST /_sim/hold {"payment"}`` holds refunds of a payment for
    review.
    """

    name = "payments"

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "payments",
        webhook_secret: str = DEMO_SECRET,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.held: set[str] = set()
        super().__init__(**common)

    def reset(self) -> None:
        """Go back to the world's payments."""
        self.payments = _slice(self.world)
        self.refunds = {r["id"]: r for p in self.payments.values() for r in p["refunds"]}
        self.held = set()

    def routes(self, app: web.Application) -> None:
        """Add the provider's interface and its control verbs."""
        app.add_routes(
            [
                web.get("/v1/account", self.account),
                web.get("/v1/payments", self.read),
                web.post("/v1/refunds", self.refund),
                web.get("/v1/refunds", self.find_refunds),
                web.post("/_sim/expire", self.expire),
                web.post("/_sim/hold", self.hold),
            ]
        )

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this system and to believe it."""
        return {**super().settings(), "webhook_secret": self.webhook_secret}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return a refund of one yuan, which the provider pushes."""
        return "/v1/refunds", {"payment": "pay_1042", "amount": 100, "currency": "CNY"}

    def dump(self) -> dict[str, Any]:
        """Return all payments with their refunds."""
        return {"payments": self.payments}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take the payments back."""
        self.payments = dict(dumped["payments"])
        self.refunds = {r["id"]: r for p in self.payments.values() for r in p["refunds"]}

    async def account(self, _: web.Request) -> web.Response:
        """Say whose token it is."""
        return web.json_response({"account": "Scree", "scopes": ["payments", "refunds"]})

    async def read(self, request: web.Request) -> web.Response:
        """Answer payments of ``?orders=``, or the latest 20 of each of ``?customers=``."""
        orders = [key for key in request.query.get("orders", "").split(",") if key]
        customers = [key for key in request.query.get("customers", "").split(",") if key]
        if len(orders) + len(customers) > MAX_BATCH:
            refuse(400, "too_many", f"at most {MAX_BATCH} at once")
        self.check_batch(request, orders or customers)
        found = [p for p in self.payments.values() if p["order"] in set(orders)]
        for customer in customers:
            mine = [p for p in self.payments.values() if p["customer"] == customer]
            mine.sort(key=lambda p: str(p["at"]), reverse=True)
            found += mine[:MAX_OF_CUSTOMER]
        return web.json_response({"payments": found})

    async def refund(self, request: web.Request) -> web.Response:
        """Send money back, once per idempotency key, and tell the hub."""
        wish = await body_of(request)
        done_before = len(self.refunds)

        def work() -> Answer:
            made = self._refund(wish)
            self.count("refund", request.headers.get("Idempotency-Key", ""))
            return Answer(201, {"refund": made})

        answer = self.once(request, wish, work)
        if len(self.refunds) > done_before:
            self.in_background(self.send(self.hook(self.payments[str(wish["payment"])])))
        return answer

    async def find_refunds(self, request: web.Request) -> web.Response:
        """Answer the refunds made under ``?reference=``, or of ``?payment=``."""
        wanted = dict(request.query)
        found = [
            one
            for one in self.refunds.values()
            if all(one.get(name) == value for name, value in wanted.items())
        ]
        return web.json_response({"refunds": found[::-1]})

    async def expire(self, _: web.Request) -> web.Response:
        """Forget every idempotency key, as happens after 24 hours."""
        self.forget_keys()
        return web.json_response({"expired": True})

    async def hold(self, request: web.Request) -> web.Response:
        """Hold refunds of a payment for review."""
        self.held.add(str((await body_of(request))["payment"]))
        return web.json_response({"held": sorted(self.held)})

    def hook(self, payment: Mapping[str, Any]) -> Hook:
        """Return the signed webhook that tells of *payment* as it stands."""
        told = {
            "id": f"evt_{secrets.token_hex(10)}", "kind": "payment.refunded",
            "payment": dict(payment),
        }  # fmt: skip
        body = json.dumps(told, ensure_ascii=False).encode()
        at = int(datetime.now(UTC).timestamp())
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: sign(self.webhook_secret, body, at),
        }
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        return Hook("payment.refunded", url, body, headers)

    def _refund(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        payment = self.payments.get(str(wish.get("payment")))
        if payment is None:
            refuse(404, "not_found", f"no payment {wish.get('payment')}")
        if payment["id"] in self.held:
            refuse(409, "review", f"refunds of {payment['id']} are held for review")
        amount = wish.get("amount")
        if not isinstance(amount, int) or amount <= 0:
            refuse(400, "bad_amount", "amount is a positive number of minor units")
        if wish.get("currency") != payment["currency"]:
            refuse(422, "other_currency", f"the payment is in {payment['currency']}")
        if amount > payment["captured"] - payment["refunded"]:
            refuse(422, "over_refund", "more than what is left of the payment")
        now = datetime.now(UTC).isoformat()
        made = {
            "id": f"re_{FIRST_REFUND + len(self.refunds)}", "payment": payment["id"],
            "amount": amount, "currency": payment["currency"], "status": "succeeded", "at": now,
            "reference": wish.get("reference"), "reason": wish.get("reason"),
        }  # fmt: skip
        self.refunds[made["id"]] = made
        payment["refunds"].insert(0, made)
        payment["refunded"] += amount
        payment["version"] += 1
        payment["updated_at"] = now
        return made

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add the secret that provider and hub share."""
        parser.add_argument("--webhook-secret", "--secret", default=DEMO_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> PaymentsSimulator:
        """Build the provider from its command line."""
        return cls(
            hub=options.hub,
            instance=options.instance,
            webhook_secret=options.webhook_secret,
            **cls.common(options),
        )


def _slice(world: World) -> dict[str, dict[str, Any]]:
    """Return the provider's part of *world*: payments, refunded ones with their refund."""
    found: dict[str, dict[str, Any]] = {}
    for at, paid in enumerate(world.payments.values()):
        back = paid.refunded.minor
        refund = {
            "id": f"re_{at + 1:04d}", "payment": paid.id, "amount": back,
            "currency": paid.captured.currency, "status": "succeeded",
            "at": paid.at.isoformat(), "reference": None, "reason": None,
        }  # fmt: skip
        found[paid.id] = {
            "id": paid.id, "order": paid.order, "customer": paid.customer,
            "method": paid.method, "currency": paid.captured.currency,
            "captured": paid.captured.minor, "refunded": back, "version": 2 if back else 1,
            "at": paid.at.isoformat(), "updated_at": paid.at.isoformat(),
            "refunds": [refund] if back else [],
        }  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(PaymentsSimulator.main())
