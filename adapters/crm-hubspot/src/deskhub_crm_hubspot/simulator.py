"""A small HubSpot as a process, with its published habits: `python -m ….simulator`.

A batch of which something is missing is answered 207 with ``errors``. Searching has a slower
limit of its own and knows a new thing late. A contact that was merged away is answered as the
one it became. A note is written as often as it is asked for. Webhooks come as lists, signed
with method, address, body and time; they tell what was.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, ClassVar

from aiohttp import web

from deskhub_sdk.testing import Hook, Simulator, body_of
from deskhub_sdk.webhooks import HUBSPOT, sign

CONTACTS = "/crm/v3/objects/contacts"
NOTES = "/crm/v3/objects/notes"
MAX_BATCH, MAX_FOUND = 100, 200
SEARCHES_A_SECOND = 5
NUMBER = "customer_number"
DEMO_SECRET = "demo-secret-known-to-everybody"  # noqa: S105  as its name says
Record = dict[str, Any]


class Hubspot(Simulator):
    """HubSpot's interface over the demo world's people.

    *unindexed* are ids that searches do not know yet. *unique* is whether the number's
    property allows a value once only. *broken* are ids that a batch fails for, with its
    reason. ``POST /_sim/change {"contact"}`` is somebody at work there, ``/_sim/merge
    {"contact", "into"}`` is a merge; both are pushed.
    """

    name: ClassVar[str] = "crm_hubspot"

    def __init__(
        self,
        *,
        hub: str = "",
        instance: str = "crm-hubspot",
        webhook_secret: str = DEMO_SECRET,
        **common: Any,  # noqa: ANN401  what every simulator takes
    ) -> None:
        """Send webhooks for *instance* to the *hub*; without one nothing is sent."""
        self.hub = hub.rstrip("/")
        self.instance = instance
        self.webhook_secret = webhook_secret
        self.unique = True
        self.left = 190
        super().__init__(**common)

    def reset(self) -> None:
        """Take the world's people and what colleagues noted about them."""
        self.contacts: dict[str, Record] = {}
        self.notes: dict[str, Record] = {}
        self.links: dict[str, list[str]] = {}
        self.merged: dict[str, str] = {}
        self.unindexed: set[str] = set()
        self.broken: dict[str, str] = {}
        self._searches: deque[float] = deque()
        self._last_event = 0
        for person in self.world.people.values():
            first, _, last = person.name.partition(" ")
            number = str(50_000 + int(person.number[2:]))
            since = _time(person.since)
            self.contacts[number] = {
                "id": number, "createdAt": since, "updatedAt": since, "archived": False,
                "properties": {
                    "firstname": first, "lastname": last, "email": person.email,
                    "phone": person.phone, "hs_language": person.language.lower(),
                    "lifecyclestage": "customer", "company": None, "city": person.city,
                    "createdate": since, "lastmodifieddate": since, NUMBER: person.number,
                    "hs_merged_object_ids": None, "hs_object_id": number,
                },
            }  # fmt: skip
            for note in person.notes:
                self._noted(number, note.text, note.at)

    def routes(self, app: web.Application) -> None:
        """Add HubSpot's addresses and the control verbs."""
        app.router.add_get("/crm/v3/properties/contacts/{name}", self._property)
        app.router.add_post(f"{CONTACTS}/batch/read", self._read_contacts)
        app.router.add_post(f"{CONTACTS}/search", self._search)
        app.router.add_post(f"{CONTACTS}/gdpr-delete", self._erase)
        app.router.add_post(f"{NOTES}/batch/read", self._read_notes)
        app.router.add_post(NOTES, self._create_note)
        app.router.add_get("/crm/v4/objects/contacts/{id}/associations/notes", self._links_of)
        app.router.add_post("/_sim/change", self._change)
        app.router.add_post("/_sim/merge", self._merge)

    def settings(self) -> dict[str, Any]:
        """Return what the adapter needs to reach this system and to believe it."""
        secret = {"webhook_secret": self.webhook_secret, "id_property": NUMBER}
        return {**super().settings(), **secret}

    def trigger(self) -> tuple[str, dict[str, Any]]:
        """Return the verb that changes a contact, which HubSpot pushes."""
        return "/_sim/change", {"contact": next(iter(self.contacts))}

    def dump(self) -> dict[str, Any]:
        """Return contacts, notes and what hangs together."""
        return {
            "contacts": self.contacts, "notes": self.notes, "links": self.links,
            "merged": self.merged,
        }  # fmt: skip

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take them back."""
        self.contacts, self.notes = dict(dumped["contacts"]), dict(dumped["notes"])
        self.links, self.merged = dict(dumped["links"]), dict(dumped["merged"])

    async def _property(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name != NUMBER:
            return self._told(404, _error("OBJECT_NOT_FOUND", f"no property {name}"))
        told = {
            "name": name, "label": "Customer number", "type": "string", "fieldType": "text",
            "groupName": "contactinformation", "description": "", "options": [],
            "hasUniqueValue": self.unique,
        }  # fmt: skip
        return self._told(200, told)

    async def _read_contacts(self, request: web.Request) -> web.Response:
        asked = await body_of(request)
        by = asked.get("idProperty")

        def find(wanted: str) -> Record | None:
            if by is None:
                return self.contacts.get(self._now(wanted))
            matching = (
                one for one in self.contacts.values() if one["properties"].get(by) == wanted
            )
            return next(matching, None)

        return self._batch(asked, find)

    async def _read_notes(self, request: web.Request) -> web.Response:
        return self._batch(await body_of(request), self.notes.get)

    def _batch(self, asked: Record, find: Callable[[str], Record | None]) -> web.Response:
        ids = [str(one["id"]) for one in asked["inputs"]]
        if len(ids) > MAX_BATCH:
            return self._told(400, _error("VALIDATION_ERROR", "at most 100 inputs"))
        found: dict[str, Record] = {}
        missing: list[str] = []
        broken = [one for one in ids if one in self.broken]
        for wanted in ids:
            one = None if wanted in self.broken else find(wanted)
            if one is not None:
                # Twice the same contact is one result.
                found[one["id"]] = _shown(one, asked["properties"])
            elif wanted not in self.broken:
                missing.append(wanted)
        errors = []
        if missing:
            said = "Could not get some objects, they may be deleted or not exist."
            errors.append(_batch_error("OBJECT_NOT_FOUND", said, missing))
        errors += [_batch_error(self.broken[one], "it failed", [one]) for one in broken]
        now = _time(datetime.now(UTC))
        told = {
            "status": "COMPLETE", "results": list(found.values()), "startedAt": now,
            "completedAt": now,
        }  # fmt: skip
        if errors:
            return self._told(207, {**told, "numErrors": len(errors), "errors": errors})
        return self._told(200, told)

    async def _search(self, request: web.Request) -> web.Response:
        now = monotonic()
        while self._searches and now - self._searches[0] > 1:
            self._searches.popleft()
        if len(self._searches) >= SEARCHES_A_SECOND:
            said = {
                "status": "error", "message": "You have reached your secondly limit.",
                "errorType": "RATE_LIMIT", "policyName": "SECONDLY",
                "correlationId": "00000000-0000-0000-0000-000000000000",
            }  # fmt: skip
            return self._told(429, said)
        self._searches.append(now)
        asked = await body_of(request)
        limit = int(asked["limit"])
        if limit > MAX_FOUND:
            return self._told(400, _error("VALIDATION_ERROR", "at most 200 a page"))
        wanted = asked["filterGroups"][0]["filters"]
        found = [
            one for one in self.contacts.values()
            if one["id"] not in self.unindexed and all(_matches(one, each) for each in wanted)
        ]  # fmt: skip
        found.sort(key=lambda one: (str(one["updatedAt"]), str(one["id"])))
        begin = int(asked.get("after") or 0)
        page = found[begin : begin + limit]
        told: Record = {
            "total": len(found),
            "results": [_shown(one, asked["properties"]) for one in page],
        }
        if begin + limit < len(found):
            told["paging"] = {"next": {"after": str(begin + limit)}}
        return self._told(200, told)

    async def _links_of(self, request: web.Request) -> web.Response:
        contact = self._now(request.match_info["id"])
        if contact not in self.contacts:
            return self._told(404, _error("OBJECT_NOT_FOUND", "no such contact"))
        kind = {"category": "HUBSPOT_DEFINED", "typeId": 201, "label": None}
        limit, begin = int(request.query["limit"]), int(request.query.get("after", 0))
        linked = self.links.get(contact, [])
        page = linked[begin : begin + limit]
        told: Record = {
            "results": [
                {"toObjectId": int(one), "associationTypes": [kind]} for one in page
            ]
        }  # fmt: skip
        if begin + limit < len(linked):
            told["paging"] = {"next": {"after": str(begin + limit)}}
        return self._told(200, told)

    async def _create_note(self, request: web.Request) -> web.Response:
        asked = await body_of(request)
        link = asked["associations"][0]
        kind = link["types"][0]
        contact = self._now(str(link["to"]["id"]))
        if (kind["associationCategory"], kind["associationTypeId"]) != ("HUBSPOT_DEFINED", 202):
            return self._told(400, _error("VALIDATION_ERROR", "no such kind of link"))
        if contact not in self.contacts:
            return self._told(404, _error("OBJECT_NOT_FOUND", "no such contact"))
        at = datetime.fromtimestamp(int(asked["properties"]["hs_timestamp"]) / 1000, UTC)
        made = self._noted(contact, str(asked["properties"]["hs_note_body"]), at)
        self.count("note_created", made["id"])
        return self._told(201, made)

    async def _erase(self, request: web.Request) -> web.Response:
        contact = self._now(str((await body_of(request))["objectId"]))
        if self.contacts.pop(contact, None) is None:
            return self._told(404, _error("OBJECT_NOT_FOUND", "no such contact"))
        for note in self.links.pop(contact, []):
            self.notes.pop(note, None)
        self.count("contact_erased", contact)
        return self._told(204, None)

    async def _change(self, request: web.Request) -> web.Response:
        contact = self.contacts[str((await body_of(request))["contact"])]
        told = self.touch(contact, city="Suzhou")
        hook = self.hook([self.event(contact["id"], "contact.propertyChange")])
        self.in_background(self.send(hook))
        return web.json_response({"updated_at": told["updatedAt"]})

    async def _merge(self, request: web.Request) -> web.Response:
        asked = await body_of(request)
        gone, into = str(asked["contact"]), str(asked["into"])
        self.merge(gone, into)
        event = {
            **self.event(into, "contact.merge"), "primaryObjectId": int(into),
            "mergedObjectIds": [int(gone)],
        }  # fmt: skip
        self.in_background(self.send(self.hook([event])))
        return web.json_response({"id": into})

    def merge(self, gone: str, into: str) -> None:
        """Merge the contact *gone* into another; its id goes on to answer as that one."""
        winner = self.contacts[into]
        self.contacts.pop(gone)
        self.merged[gone] = into
        self.links.setdefault(into, []).extend(self.links.pop(gone, []))
        before = winner["properties"]["hs_merged_object_ids"]
        self.touch(winner, hs_merged_object_ids=";".join(filter(None, (before, gone))))

    def touch(self, contact: Record, **changed: str) -> Record:
        """Change a contact's properties; its time grows."""
        before = datetime.fromisoformat(contact["updatedAt"])
        now = _time(max(datetime.now(UTC), before + timedelta(milliseconds=1)))
        contact["properties"].update(changed, lastmodifieddate=now)
        contact["updatedAt"] = now
        return contact

    def event(self, contact: str, kind: str) -> Record:
        """Return an event about *contact* as a webhook tells it."""
        now = int(datetime.now(UTC).timestamp() * 1000)
        self._last_event = max(now, self._last_event + 1)
        return {
            "eventId": self._last_event % 10**9, "subscriptionId": 11, "portalId": 4711,
            "appId": 12, "occurredAt": self._last_event, "subscriptionType": kind,
            "attemptNumber": 0, "objectId": int(contact), "changeSource": "CRM_UI",
            "propertyName": "city", "propertyValue": "Suzhou",
        }  # fmt: skip

    def hook(self, events: list[Record]) -> Hook:
        """Return the signed webhook that tells *events*."""
        body = json.dumps(events, ensure_ascii=False).encode()
        url = f"{self.hub}/api/v1/webhooks/{self.instance}" if self.hub else ""
        signed = sign(HUBSPOT, [self.webhook_secret], body, at=datetime.now(UTC), url=url)
        headers = {**signed, "Content-Type": "application/json"}
        return Hook(kind="contact.changed", url=url, body=body, headers=headers)

    def _noted(self, contact: str, body: str, at: datetime) -> Record:
        number = str(900_000 + len(self.notes))
        now = _time(at)
        self.notes[number] = {
            "id": number, "createdAt": now, "updatedAt": now, "archived": False,
            "properties": {"hs_note_body": body, "hs_timestamp": now, "hs_object_id": number},
        }  # fmt: skip
        self.links.setdefault(contact, []).append(number)
        return self.notes[number]

    def _now(self, contact: str) -> str:
        while contact in self.merged:
            contact = self.merged[contact]
        return contact

    def _told(self, status: int, body: Any) -> web.Response:  # noqa: ANN401  JSON
        headers = {
            "X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Remaining": str(self.left),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Daily": "650000",
            "X-HubSpot-RateLimit-Daily-Remaining": "649000",
        }  # fmt: skip
        if body is None:
            return web.Response(status=status, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    @classmethod
    def arguments(cls, parser: ArgumentParser) -> None:
        """Add the secret that webhooks are signed with."""
        parser.add_argument("--webhook-secret", default=DEMO_SECRET)

    @classmethod
    def made(cls, options: Namespace) -> Hubspot:
        """Build the account from its command line."""
        return cls(
            hub=options.hub, instance=options.instance, webhook_secret=options.webhook_secret,
            **cls.common(options),
        )  # fmt: skip


def _shown(one: Record, properties: list[str]) -> Record:
    chosen = {name: one["properties"].get(name) for name in properties}
    return {**one, "properties": chosen}


def _matches(contact: Record, wanted: Record) -> bool:
    told = contact["properties"].get(wanted["propertyName"])
    if wanted["operator"] == "GTE":
        since = datetime.fromtimestamp(int(wanted["value"]) / 1000, UTC)
        return told is not None and datetime.fromisoformat(told) >= since
    return bool(told == wanted["value"])


def _error(category: str, message: str) -> Record:
    return {
        "status": "error", "message": message, "category": category,
        "correlationId": "00000000-0000-0000-0000-000000000000",
    }  # fmt: skip


def _batch_error(category: str, message: str, ids: list[str]) -> Record:
    return {
        "status": "error", "category": category, "message": message,
        "context": {"ids": ids}, "errors": [], "links": {},
    }  # fmt: skip


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    sys.exit(Hubspot.main())
