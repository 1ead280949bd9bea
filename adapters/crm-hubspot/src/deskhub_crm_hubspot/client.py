"""The border to HubSpot: contacts in batches, searches at their pace, notes that are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from deskhub_crm_hubspot.mapping import (
    NOT_FOUND,
    PROPERTIES,
    BatchError,
    Contact,
    Contacts,
    Found,
    Linked,
    Note,
    Notes,
    Property,
)
from deskhub_crm_hubspot.pace import Pace
from deskhub_crm_hubspot.settings import HubspotConfig
from deskhub_sdk import Context, HttpAnswer, Malformed, OutcomeUnknown, Unavailable
from deskhub_sdk.rest import Rest, Wire

MAX_BATCH = 100
CONTACTS = "/crm/v3/objects/contacts"
NOTES = "/crm/v3/objects/notes"
# "Note to contact", one of the link types that every account has.
NOTE_TO_CONTACT = 202
# So many of a contact's latest notes are looked through for the mark of a step.
LATEST_NOTES = 200
LINK_PAGES = 10
SHARED = 5
W = TypeVar("W", bound=Wire)


class HubspotClient(Rest):
    """The account's contacts and notes."""

    def __init__(self, ctx: Context, config: HubspotConfig) -> None:
        """Call the account of *config*."""
        super().__init__(ctx, config, "HubSpot")
        self._number = config.id_property
        self.pace = Pace()

    async def number_property(self) -> Property | None:
        """Return the property that holds the customer number, None when there is none."""
        answer = await self._asked(f"/crm/v3/properties/contacts/{self._number}")
        if answer.status == 404:
            # A page of somebody else's is a 404, too; HubSpot's own is JSON.
            _ = answer.json()
            return None
        self.expect(answer, 200)
        return self.parse(answer.body, Property)

    async def contacts(self, numbers: Sequence[str]) -> Mapping[str, Contact]:
        """Return the contacts of at most 100 customer *numbers*; unknown ones are absent."""
        found = await self._batch(CONTACTS, Contacts, numbers, self._properties, self._number)
        by_number = {one.told(self._number): one for one in found.results if not one.archived}
        return {**_failed(found.errors), **{k: one for k, one in by_number.items() if k}}

    async def contacts_by_id(self, ids: Sequence[str]) -> Mapping[str, Contact]:
        """Return the contacts of at most 100 record *ids*.

        The id of one that was merged away has the contact that it became.
        """
        found = await self._batch(CONTACTS, Contacts, ids, self._properties)
        known: dict[str, Contact] = {}
        for one in found.results:
            if not one.archived:
                known |= dict.fromkeys((one.id, *one.former_ids), one)
        return {**_failed(found.errors), **{key: known[key] for key in ids if key in known}}

    async def search(self, by: str, value: str) -> Sequence[Contact]:
        """Return the contacts whose property *by* is *value*, at most five."""
        wanted = [{"propertyName": by, "operator": "EQ", "value": value}]
        return (await self._search(wanted, limit=SHARED)).results

    async def changed(self, since: datetime, after: str) -> Found:
        """Return a page of at most 100 contacts changed *since*, oldest change first."""
        moment = str(int(since.timestamp() * 1000))
        wanted = [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": moment}]
        return await self._search(wanted, limit=MAX_BATCH, after=after, by="lastmodifieddate")

    async def notes_of(self, contact: str) -> Sequence[Note]:
        """Return the latest notes on *contact*, newest first, at most 200.

        They are found by their links: a search knows a new note some seconds late.
        """
        ids: list[int] = []
        after = ""
        path = f"/crm/v4/objects/contacts/{quote(contact, safe='')}/associations/notes"
        for _ in range(LINK_PAGES):
            page = {"limit": "500", **({"after": after} if after else {})}
            answer = await self._asked(path, page)
            if answer.status == 404:
                return ()
            self.expect(answer, 200)
            linked = self.parse(answer.body, Linked)
            ids += [one.to_object_id for one in linked.results]
            after = linked.after
            if not after:
                break
        # Ids grow, so the highest are the newest.
        latest = [str(one) for one in sorted(set(ids), reverse=True)[:LATEST_NOTES]]
        found: dict[str, Note] = {}
        for start in range(0, len(latest), MAX_BATCH):
            some = latest[start : start + MAX_BATCH]
            batch = await self._batch(NOTES, Notes, some, ("hs_note_body", "hs_timestamp"))
            found |= {one.id: one for one in batch.results}
        return [found[one] for one in latest if one in found]

    async def note_under(self, contact: str, key: str) -> Note | None:
        """Return the note on *contact* that carries the mark of *key*."""
        notes = await self.notes_of(contact)
        return next((one for one in notes if key in one.keys), None)

    async def add_note(self, contact: str, body: str, at: datetime) -> Note:
        """Write a note on *contact*. HubSpot knows no keys: look for the mark first.

        Raises `OutcomeUnknown` when nobody can tell whether it was written.
        """
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_CONTACT}
        note = {
            "properties": {
                "hs_timestamp": str(int(at.timestamp() * 1000)),
                "hs_note_body": body,
            },
            "associations": [{"to": {"id": contact}, "types": [kind]}],
        }
        await self.pace.ready()
        answer = await self.write(NOTES, note, repeatable=False)
        self.pace.learn(answer.headers)
        try:
            return self.done(answer, Note)
        except Malformed as error:
            # A proxy's page with status 200 says nothing of what became of the note.
            raise OutcomeUnknown(str(error)) from error

    async def erase(self, contact: str) -> bool:
        """Erase *contact* for good with what hangs on it; return whether there was one."""
        answer = await self.write(
            f"{CONTACTS}/gdpr-delete", {"objectId": contact}, repeatable=True
        )
        if answer.status == 404:
            return False
        self.expect(answer, 204)
        return True

    @property
    def _properties(self) -> tuple[str, ...]:
        return (*PROPERTIES, self._number)

    async def _batch(
        self, path: str, shape: type[W], ids: Sequence[str], properties: Sequence[str],
        id_property: str = "",
    ) -> W:  # fmt: skip
        asked: dict[str, object] = {
            "inputs": [{"id": one} for one in ids], "properties": list(properties),
            "propertiesWithHistory": [],
        }  # fmt: skip
        if id_property:
            asked["idProperty"] = id_property
        answer = await self._asked(f"{path}/batch/read", json=asked)
        if answer.status != 207:
            self.expect(answer, 200)
        return self.parse(answer.body, shape)

    async def _search(
        self, filters: Sequence[Mapping[str, str]], *, limit: int, after: str = "", by: str = ""
    ) -> Found:
        asked = {
            "filterGroups": [{"filters": list(filters)}], "properties": list(self._properties),
            "sorts": [by] if by else [], "limit": limit, "after": after or "0",
        }  # fmt: skip
        await self.pace.search()
        answer = await self._asked(f"{CONTACTS}/search", json=asked)
        self.expect(answer, 200)
        return self.parse(answer.body, Found)

    async def _asked(
        self, path: str, params: Mapping[str, str] | None = None, *, json: object = None
    ) -> HttpAnswer:
        await self.pace.ready()
        answer = await self.read(path, params, json=json)
        self.pace.learn(answer.headers)
        return answer


def sound(found: Mapping[str, Contact]) -> Mapping[str, Contact]:
    """Return *found*. Raises why one of it could not be read: it is there all the same."""
    values: Sequence[object] = list(found.values())
    for one in values:
        if isinstance(one, Exception):
            raise one
    return found


def _failed(errors: Sequence[BatchError]) -> dict[str, Contact]:
    """Return why single ids of a batch could not be read, for the loader to raise.

    Who is not there is no failure. Raises `Unavailable` when nobody says which id it is.
    """
    failed: dict[str, Exception] = {}
    for one in errors:
        if one.category == NOT_FOUND:
            continue
        if not one.ids:
            raise Unavailable(f"HubSpot answered a part only: {one.category} {one.message}")
        failed |= {key: Malformed(f"HubSpot: {one.category}") for key in one.ids}
    # The loader takes errors in place of values.
    return failed  # type: ignore[return-value]
