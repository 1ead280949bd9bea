"""A small ticket system as a process: `python -m deskhub_tickets.simulator`."""

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

from deskhub_sdk.testing import Answer, Hook, Simulator, body_of, refuse
from deskhub_tickets.mapping import UPDATED
from deskhub_tickets.simulator_records import STATUSES, TicketRecords
from deskhub_tickets.webhook import DELIVERY, SIGNATURE, sign

MAX_BATCH = 100
WEBHOOK_SECRET = "demo-webhook-secret"  # noqa: S105  known to everybody, as its name says


class TicketsSimulator(Simulator):
    """Cases, comments, idempotent creation, signed webhooks.

    ``POST /_sim/update {"ticket", "status", "assignee", "comment", "by"}`` is a colleague at
    work: the case changes and the hub is told. Everything through the interface changes the
    case silently.
    """

    name = "tickets"

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "tickets",
        webhook_secret: str = WEBHOOK_SECRET,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub
        self.instance = instance
        self.webhook_secret = webhook_secret
        super().__init__(**common)

    def reset(self) -> None:
        """Go back to the world's cases."""
        self.records = TicketRecords.of(self.world)

    def routes(self, app: web.Application) -> None:
        """Add the ticket system's addresses and its control verb."""
        app.add_routes(
            [
                web.get("/api/account", self.account),
                web.get("/api/issues", self.read),
                web.post("/api/issues/by-customer", self.by_customer),
                web.post("/api/issues", self.open),
                web.get("/api/issues/{id}", self.show),
                web.patch("/api/issues/{id}", self.change),
                web.post("/api/issues/{id}/comments", self.comment),
                web.post("/_sim/update", self.update),
            ]
        )

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this system and to believe it."""
        return {**super().settings(), "webhook_secret": self.webhook_secret}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return a colleague's remark, which the system pushes."""
        return "/_sim/update", {"ticket": next(iter(self.records.cases)), "comment": "Seen."}

    def dump(self) -> dict[str, Any]:
        """Return all cases."""
        return {"cases": self.records.cases}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take the cases back."""
        self.records = TicketRecords(cases=dict(dumped["cases"]))

    async def account(self, _: web.Request) -> web.Response:
        """Say whose token it is."""
        return web.json_response({"account": "Scree support", "scopes": ["issues"]})

    async def read(self, request: web.Request) -> web.Response:
        """Answer cases by at most 100 ids, or by their opener's reference."""
        reference = request.query.get("reference")
        if reference is not None:
            return web.json_response({"issues": self.records.by_reference(reference)})
        ids = [id_ for id_ in request.query.get("ids", "").split(",") if id_]
        if not ids:
            refuse(400, "no_ids", "say which issues by ids or reference")
        if len(ids) > MAX_BATCH:
            refuse(400, "too_many", f"at most {MAX_BATCH} ids, got {len(ids)}")
        self.check_batch(request, ids)
        return web.json_response({"issues": self.records.read(ids)})

    async def by_customer(self, request: web.Request) -> web.Response:
        """Answer the ids of the open cases of at most 100 customers."""
        customers = [str(one) for one in (await body_of(request)).get("customers", [])]
        if len(customers) > MAX_BATCH:
            refuse(400, "too_many", f"at most {MAX_BATCH} customers, got {len(customers)}")
        self.check_batch(request, customers)
        found = {one: self.records.open_of(one) for one in customers}
        return web.json_response({"customers": {one: ids for one, ids in found.items() if ids}})

    async def open(self, request: web.Request) -> web.Response:
        """Open a case, once for each idempotency key."""
        given = await body_of(request)
        if not given.get("title"):
            refuse(422, "no_title", "an issue needs a title")

        def work() -> Answer:
            case = self.records.open(given)
            self.count("case_opened", request.headers.get("Idempotency-Key", ""))
            return Answer(201, deepcopy(case))

        return self.once(request, given, work)

    async def show(self, request: web.Request) -> web.Response:
        """Answer one case with its comments."""
        return web.json_response(self._case(request.match_info["id"]))

    async def change(self, request: web.Request) -> web.Response:
        """Change a case's status or assignee."""
        case = self._case(request.match_info["id"])
        given = await body_of(request)
        if given.get("status", STATUSES[0]) not in STATUSES:
            refuse(422, "unknown_status", f"a status is one of {', '.join(STATUSES)}")
        self.records.change(case, given)
        self.count("case_changed", case["key"])
        return web.json_response(case)

    async def comment(self, request: web.Request) -> web.Response:
        """Add a comment to a case."""
        case = self._case(request.match_info["id"])
        given = await body_of(request)
        if not given.get("text"):
            refuse(422, "no_text", "a comment needs a text")
        self.records.change(case, {"comment": given["text"], "by": given.get("by", "")})
        self.count("comment_added", case["key"])
        return web.json_response(case["comments"][-1], status=201)

    async def update(self, request: web.Request) -> web.Response:
        """Change a case as a colleague would, and tell the hub."""
        given = await body_of(request)
        case = self._case(str(given.get("ticket", "")))
        before = deepcopy(case)
        self.records.change(case, given)
        self.count("case_changed", case["key"])
        statuses = await self.send(self.hook(case), stale=self.hook(before))
        self.count("webhook_sent", case["key"])
        return web.json_response({"ticket": case, "delivered": statuses})

    def hook(self, case: Mapping[str, Any]) -> Hook:
        """Return the signed webhook that tells of *case* as it is."""
        delivery = f"dlv_{secrets.token_hex(8)}"
        shown = {name: case[name] for name in _TOLD}
        sent_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        told = {"event": UPDATED, "delivery": delivery, "sent_at": sent_at, "ticket": shown}
        body = json.dumps(told, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Event": UPDATED,
            DELIVERY.title(): delivery,
            SIGNATURE.title(): sign(self.webhook_secret, body),
        }
        url = f"{self.hub.rstrip('/')}/api/v1/webhooks/{self.instance}" if self.hub else ""
        return Hook(kind=UPDATED, url=url, body=body, headers=headers)

    def _case(self, name: str) -> dict[str, Any]:
        case = self.records.find(name)
        if case is None:
            refuse(404, "unknown_issue", f"there is no issue {name}")
        return case

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Take where webhooks go and what signs them."""
        parser.add_argument("--hub", default="", help="the hub's address; none: no webhooks")
        parser.add_argument("--instance", default=cls.name, help="this instance's name there")
        parser.add_argument("--webhook-secret", default=WEBHOOK_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> TicketsSimulator:
        """Build the system from its command line."""
        return cls(
            hub=options.hub,
            instance=options.instance,
            webhook_secret=options.webhook_secret,
            **cls.common(options),
        )


_TOLD = (
    "id", "key", "title", "status", "customer", "assignee", "conversation", "reference",
    "version", "updated_at",
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(TicketsSimulator.main())
