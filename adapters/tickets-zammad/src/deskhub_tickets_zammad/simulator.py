"""A small Zammad as a process: `python -m deskhub_tickets_zammad.simulator`."""

from __future__ import annotations

import json
import sys
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from aiohttp import web

from deskhub_sdk import webhooks
from deskhub_sdk.testing import Hook, Simulator, body_of
from deskhub_tickets_zammad.client import API
from deskhub_tickets_zammad.simulator_records import Desk, Unprocessable, conditions, shown

DEMO_SECRET = "demo-secret-known-to-everybody"  # noqa: S105  as its name says
WRITE_S = 0.25


class ZammadSimulator(Simulator):
    """Tickets found by conditions, opened as often as asked, told of by signed webhooks.

    Like the real one it leaves out a condition that it cannot read, and drops what is not
    there. ``POST /_sim/work {"ticket", "state", "owner"}`` is a colleague at work.
    """

    name = "tickets_zammad"
    # Zammad's own word for a token is asked for here: the base wants a bearer.
    public = (f"{API}/*",)

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "tickets-zammad",
        webhook_secret: str = DEMO_SECRET,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        self.desk = Desk()
        super().__init__(**common)

    def reset(self) -> None:
        """Go back to the world's tickets."""
        self.desk = Desk.of(self.world)

    def routes(self, app: web.Application) -> None:
        """Add Zammad's interface and the control verb."""
        app.add_routes([
            web.get(f"{API}/users/me", self.me),
            web.get(f"{API}/tickets/search", self.search),
            web.post(f"{API}/tickets", self.open),
            web.put(f"{API}/tickets/{{id}}", self.change),
            web.post("/_sim/work", self.work),
        ])  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this Zammad and to believe it."""
        more = {"webhook_secret": self.webhook_secret, "tickets_ttl_s": 0}
        return {**super().settings(), **more, "write_timeout_s": WRITE_S}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return a colleague's remark."""
        article = {"body": "Seen.", "type": "note"}
        return "/_sim/work", {"ticket": next(iter(self.desk.tickets)), "article": article}

    def dump(self) -> dict[str, Any]:
        """Return all tickets and users."""
        return {"tickets": self.desk.tickets, "users": self.desk.users}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take back what `dump` returned."""
        tickets = {int(number): one for number, one in dumped["tickets"].items()}
        self.desk = Desk(tickets=tickets, users=dict(dumped["users"]))

    async def me(self, request: web.Request) -> web.Response:
        """Answer whose token it is."""
        return self._refused(request) or web.json_response({"id": 3, "login": "deskhub"})

    async def search(self, request: web.Request) -> web.Response:
        """List tickets by condition, the latest change first unless asked otherwise."""
        if (refused := self._refused(request)) is not None:
            return refused
        asked = conditions(list(request.query.items()))
        self.check_batch(request, asked.get("ticket.id", ("", []))[1])
        earliest_first = request.query.get("order_by") == "asc"
        found = sorted(
            self.desk.found(asked),
            key=lambda one: str(one["updated_at"]),
            reverse=not earliest_first,
        )
        size = min(200, int(request.query.get("per_page", "50")))
        start = (int(request.query.get("page", "1")) - 1) * size
        return web.json_response([shown(one) for one in found[start : start + size]])

    async def open(self, request: web.Request) -> web.Response:
        """Open a ticket with its article and tags."""
        if (refused := self._refused(request)) is not None:
            return refused
        try:
            made = self.desk.open(await body_of(request))
        except Unprocessable as why:
            return _fault(422, str(why))
        self.count("ticket_opened", ",".join(made["_tags"][1:2]))
        self._tell(made)
        return web.json_response(shown(made), status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change a ticket."""
        if (refused := self._refused(request)) is not None:
            return refused
        number = request.match_info["id"]
        if not number.isdigit() or int(number) not in self.desk.tickets:
            return _fault(404, "Couldn't find Ticket")
        try:
            changed = self.desk.change(int(number), await body_of(request))
        except Unprocessable as why:
            return _fault(422, str(why))
        self.count("ticket_changed", number)
        self._tell(changed)
        return web.json_response(shown(changed))

    async def work(self, request: web.Request) -> web.Response:
        """Let a colleague change a ticket."""
        wish = await body_of(request)
        changed = self.desk.change(int(wish["ticket"]), wish)
        self._tell(changed)
        return web.json_response(shown(changed))

    def hook(self, ticket: Mapping[str, Any], delivery: str = "") -> Hook:
        """Return *ticket* as the webhook of a trigger; *delivery* is an earlier try's job."""
        people = {
            "customer": {"login": ticket["customer"]},
            "owner": {"login": ticket["owner"]},
        }
        told = {"ticket": {**shown(ticket), **people}, "article": {"id": 1, "body": "…"}}
        body = json.dumps(told, ensure_ascii=False).encode()
        signed = webhooks.sign(
            webhooks.ZAMMAD, [self.webhook_secret], body, at=datetime.now(UTC),
            id=delivery or str(uuid.uuid4()),
        )  # fmt: skip
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Zammad-Trigger": "Tell Deskhub", **signed,
        }  # fmt: skip
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        return Hook("ticket.changed", url, body, headers)

    def _tell(self, ticket: Mapping[str, Any]) -> None:
        self.in_background(self.send(self.hook(ticket)))

    def _refused(self, request: web.Request) -> web.Response | None:
        if self.token is None:
            return None
        shown_token = request.headers.get("Authorization", "").encode()
        if compare_digest(shown_token, f"Token token={self.token}".encode()):
            return None
        return _fault(401, "authentication failed")

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add the secret that Zammad and hub share."""
        parser.add_argument("--webhook-secret", default=DEMO_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> ZammadSimulator:
        """Build the system from its command line."""
        return cls(
            hub=options.hub,
            instance=options.instance,
            webhook_secret=options.webhook_secret,
            **cls.common(options),
        )


def _fault(status: int, text: str) -> web.Response:
    return web.json_response({"error": text, "error_human": text}, status=status)


if __name__ == "__main__":
    sys.exit(ZammadSimulator.main())
