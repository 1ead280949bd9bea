"""A small Stripe as a process: `python -m deskhub_payments_stripe.simulator`."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from deskhub_payments_stripe.client import TYPES
from deskhub_payments_stripe.simulator_records import Account, clauses, page
from deskhub_payments_stripe.simulator_wire import Keys, Refused, Reply, answer, invalid, nested
from deskhub_sdk import webhooks
from deskhub_sdk.testing import Hook, Simulator, body_of

DEMO_SECRET = "whsec_demo_known_to_everybody"  # noqa: S105  as its name says
REFUND_S = 0.25
Read = Callable[[web.Request], Any]


class StripeSimulator(Simulator):
    """Payments, refunds, events and a search, with Stripe's idempotency keys and signatures.

    Keys remember the first answer, errors too, and refuse other parameters; ``POST
    /_sim/expire`` makes the day pass after which they are pruned. ``/_sim/refund`` is a
    refund in the dashboard, ``/_sim/fail`` one that the bank sends back, ``/_sim/dispute`` a
    dispute. *work_s* is how long a refund is worked on.
    """

    name = "payments_stripe"

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "payments-stripe",
        webhook_secret: str = DEMO_SECRET,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        self.account = Account()
        self.keys = Keys()
        self.work_s = 0.0
        self._triggered = 0
        super().__init__(**common)

    def reset(self) -> None:
        """Go back to the world's payments."""
        self.account = Account.of(self.world)
        self.keys = Keys()

    def routes(self, app: web.Application) -> None:
        """Add Stripe's interface and the control verbs."""
        app.add_routes([
            web.get("/v1/payment_intents", self._reads(self._intents)),
            web.get("/v1/payment_intents/search", self._reads(self._search)),
            web.get("/v1/payment_intents/{id}", self._reads(self._intent)),
            web.get("/v1/charges/{id}", self._reads(self._charge)),
            web.get("/v1/refunds", self._reads(self._refunds)),
            web.post("/v1/refunds", self.refund),
            web.get("/v1/events", self._reads(self._events)),
            web.post("/_sim/expire", self.expire),
            web.post("/_sim/refund", self.refund_elsewhere),
            web.post("/_sim/fail", self.fail),
            web.post("/_sim/dispute", self.dispute),
        ])  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this account and to believe it."""
        more = {"webhook_secret": self.webhook_secret, "refund_timeout_s": REFUND_S}
        return {**super().settings(), **more}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return a refund in the dashboard, each time of another payment.

        Events of one second bear one time; which of them is later Stripe does not say.
        """
        self._triggered += 1
        order = ("1042", "1033")[self._triggered % 2]
        return "/_sim/refund", {"payment_intent": f"pi_{order}", "amount": 100}

    def dump(self) -> dict[str, Any]:
        """Return the account and what its keys remember."""
        account = self.account
        kept = {key: [was, one.status, one.body] for key, (was, one) in self.keys.kept.items()}
        return {
            "intents": account.intents, "charges": account.charges, "events": account.events,
            "refunds": account.refunds, "keys": kept,
        }  # fmt: skip

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        parts = {name: dumped[name] for name in ("intents", "charges", "events", "refunds")}
        self.account = Account(**parts)
        kept = {key: (was, Reply(s, body)) for key, (was, s, body) in dumped["keys"].items()}
        self.keys = Keys(kept=kept)

    def forget_keys(self) -> None:
        """Prune every key, as happens after a day."""
        self.keys = Keys()

    async def refund(self, request: web.Request) -> web.Response:
        """Refund, once per idempotency key, and tell of it."""
        wish = nested(await request.text())
        made: list[dict[str, Any]] = []

        async def work() -> Reply:
            if self.work_s:
                await asyncio.sleep(self.work_s)
            one = self.account.refund(wish)
            made.append(one)
            self.count("refund", request.headers.get("Idempotency-Key", ""))
            return Reply(200, dict(one))

        response = await self.keys.once(request, wish, work)
        for one in made:
            self._tell("charge.refunded", self.account.charges[one["charge"]])
        return response

    async def expire(self, _: web.Request) -> web.Response:
        """Let a day pass."""
        self.forget_keys()
        return web.json_response({"expired": True})

    async def refund_elsewhere(self, request: web.Request) -> web.Response:
        """Refund as somebody in the dashboard does."""
        wish = await body_of(request)
        made = self.account.add_refund(str(wish["payment_intent"]), int(wish["amount"]), {})
        self._tell("charge.refunded", self.account.charges[made["charge"]])
        return web.json_response(made)

    async def fail(self, request: web.Request) -> web.Response:
        """Let a refund fail after it had succeeded."""
        made = self.account.fail(str((await body_of(request))["refund"]))
        self._tell("refund.failed", made)
        return web.json_response(made)

    async def dispute(self, request: web.Request) -> web.Response:
        """Let a payment be disputed."""
        intent = str((await body_of(request))["payment_intent"])
        self.account.dispute(intent)
        thing = {"id": f"du_{intent}", "object": "dispute", "payment_intent": intent}
        self._tell("charge.dispute.created", thing)
        return web.json_response(thing)

    def hook(self, event: Mapping[str, Any], *secrets: str) -> Hook:
        """Return *event* as a webhook, signed now with each of *secrets* (default: its own)."""
        body = json.dumps(event, indent=2).encode()
        signed = webhooks.sign(
            webhooks.STRIPE, secrets or (self.webhook_secret,), body, at=datetime.now(UTC)
        )
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        headers = {"Content-Type": "application/json; charset=utf-8", **signed}
        return Hook(str(event["type"]), url, body, headers)

    def _tell(self, kind: str, thing: Mapping[str, Any]) -> None:
        event = self.account.event(kind, thing)
        self.in_background(self.send(self.hook(event)))

    def _reads(self, read: Read) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                return answer(Reply(200, read(request)))
            except Refused as refused:
                return answer(refused.reply)

        return handle

    def _intents(self, request: web.Request) -> Any:  # noqa: ANN401  JSON
        rows = sorted(self.account.intents.values(), key=_created, reverse=True)
        return page(rows, request.query, "/v1/payment_intents")

    def _search(self, request: web.Request) -> Any:  # noqa: ANN401  JSON
        query, expand = request.query.get("query", ""), request.query.getall("expand[]", [])
        limit, start = (
            int(request.query.get("limit", "10")),
            int(request.query.get("page", "0")),
        )
        self.check_batch(request, [value for _, value in clauses(query)])
        found = self.account.found(query)
        wanted = [one.removeprefix("data.") for one in expand]
        some = [self.account.shown(one, wanted) for one in found[start : start + limit]]
        more = start + limit < len(found)
        return {
            "object": "search_result", "url": "/v1/payment_intents/search", "data": some,
            "has_more": more, "next_page": str(start + limit) if more else None,
        }  # fmt: skip

    def _intent(self, request: web.Request) -> Any:  # noqa: ANN401  JSON
        name = request.match_info["id"]
        if name not in self.account.intents:
            raise invalid(
                f"No such payment_intent: '{name}'", code="resource_missing", status=404
            )
        expand = request.query.getall("expand[]", [])
        return self.account.shown(self.account.intents[name], expand)

    def _charge(self, request: web.Request) -> Any:  # noqa: ANN401  JSON
        name = request.match_info["id"]
        if name not in self.account.charges:
            raise invalid(f"No such charge: '{name}'", code="resource_missing", status=404)
        return self.account.charges[name]

    def _refunds(self, request: web.Request) -> Any:  # noqa: ANN401  JSON
        return page(
            self.account.refunds_of(request.query["payment_intent"]), request.query,
            "/v1/refunds",
        )  # fmt: skip

    def _events(self, request: web.Request) -> Any:  # noqa: ANN401  JSON
        kinds = request.query.getall("types[]", list(TYPES))
        since = int(request.query.get("created[gte]", "0"))
        rows = [
            one
            for one in self.account.events[::-1]
            if one["type"] in kinds and one["created"] >= since
        ]
        return page(rows, request.query, "/v1/events")

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add the secret that account and hub share."""
        parser.add_argument("--webhook-secret", default=DEMO_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> StripeSimulator:
        """Build the account from its command line."""
        return cls(
            hub=options.hub,
            instance=options.instance,
            webhook_secret=options.webhook_secret,
            **cls.common(options),
        )


def _created(thing: Mapping[str, Any]) -> int:
    return int(thing["created"])


if __name__ == "__main__":
    sys.exit(StripeSimulator.main())
