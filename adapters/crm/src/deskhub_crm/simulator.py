"""A small CRM as a process: `python -m deskhub_crm.simulator`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from deskhub_crm.simulator_records import CrmRecords
from deskhub_sdk.testing import Simulator, body_of, refuse

MAX_BATCH = 100


class CrmSimulator(Simulator):
    """Contacts by number, search, activities.

    Like most hosted CRMs it reads at most 100 records a call, leaves unknown ids out, and
    records an activity again when it is sent again.
    """

    name = "crm"

    def reset(self) -> None:
        """Go back to the world's people without activities."""
        self.records = CrmRecords(self.world)

    def routes(self, app: web.Application) -> None:
        """Add the CRM's addresses."""
        app.add_routes(
            [
                web.get("/api/account", self.account),
                web.post("/api/contacts/batch/read", self.read),
                web.get("/api/contacts/search", self.search),
                web.delete("/api/contacts/{contact}", self.erase),
                web.get("/api/activities", self.activities),
                web.post("/api/activities", self.add_activity),
            ]
        )

    def dump(self) -> dict[str, Any]:
        """Return the activities; everything else comes from the world."""
        return {
            "activities": self.records.activities,
            "contacts": len(self.world.people) - len(self.records.erased),
            "erased": sorted(self.records.erased),
        }

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take the activities back."""
        self.records = CrmRecords(self.world, erased=set(dumped["erased"]))
        for activity in dumped["activities"]:
            self.records.take(activity)

    async def account(self, _: web.Request) -> web.Response:
        """Say whose token it is."""
        return web.json_response({"account": "Scree", "scopes": ["contacts", "activities"]})

    async def read(self, request: web.Request) -> web.Response:
        """Answer the contacts that exist among at most 100 numbers."""
        numbers = [str(number) for number in (await body_of(request)).get("numbers", [])]
        if len(numbers) > MAX_BATCH:
            refuse(400, "too_many", f"at most {MAX_BATCH} numbers, got {len(numbers)}")
        self.check_batch(request, numbers)
        found = [record for number in numbers if (record := self.records.contact(number))]
        return web.json_response({"results": found})

    async def search(self, request: web.Request) -> web.Response:
        """Answer the contacts with this e-mail address or phone number."""
        email, phone = request.query.get("email"), request.query.get("phone")
        if email is None and phone is None:
            refuse(400, "no_criterion", "search by email or phone")
        return web.json_response({"results": self.records.search(email=email, phone=phone)})

    async def activities(self, request: web.Request) -> web.Response:
        """Answer the activities with this client reference or contact, the oldest first."""
        for name in ("client_ref", "contact"):
            if wanted := request.query.get(name, ""):
                found = [one for one in self.records.activities if one[name] == wanted]
                return web.json_response({"results": found})
        return web.json_response({"results": []})

    async def erase(self, request: web.Request) -> web.Response:
        """Remove a contact for good; a second time there is none."""
        if not self.records.erase(request.match_info["contact"]):
            refuse(404, "unknown_contact", "there is no such contact")
        self.count("contact_erased", request.match_info["contact"])
        return web.Response(status=204)

    async def add_activity(self, request: web.Request) -> web.Response:
        """Record an activity, each time it is asked."""
        given = await body_of(request)
        if not given.get("subject"):
            refuse(422, "no_subject", "an activity needs a subject")
        contact = given.get("contact")
        if contact is not None and self.records.number_of(contact) is None:
            refuse(422, "unknown_contact", f"there is no contact {contact}")
        activity = self.records.record(given)
        self.count("activity_recorded", str(given.get("client_ref") or ""))
        return web.json_response(activity, status=201)

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Take the hub's address like the others; a CRM sends nothing."""
        parser.add_argument("--hub", help="the hub's address (unused: nothing is sent)")
        parser.add_argument("--instance", default=cls.name, help="this instance's name there")


if __name__ == "__main__":
    sys.exit(CrmSimulator.main())
