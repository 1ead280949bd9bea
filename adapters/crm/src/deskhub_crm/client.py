"""The border to the CRM: its calls, as this adapter's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

from deskhub_crm.mapping import Activities, Activity, Contact, Contacts, plain_phone
from deskhub_sdk.rest import Rest

MAX_BATCH = 100


class CrmClient(Rest):
    """The CRM's HTTP interface with one account's token."""

    async def contacts(self, numbers: Sequence[str]) -> Mapping[str, Contact]:
        """Return the records of at most 100 customer *numbers*; unknown ones are absent."""
        asked = {"numbers": list(numbers)}
        found = await self.found(Contacts, "/api/contacts/batch/read", json=asked)
        return {contact.number: contact for contact in found.results}

    async def search(self, by: Literal["email", "phone"], value: str) -> Sequence[Contact]:
        """Return the records with this e-mail address or phone number."""
        wanted = plain_phone(value) if by == "phone" else value.strip().lower()
        if not wanted:
            return ()
        return (await self.found(Contacts, "/api/contacts/search", {by: wanted})).results

    async def activities_of(self, contact: str) -> Sequence[Activity]:
        """Return what is noted on the record *contact*, oldest first."""
        return (await self.found(Activities, "/api/activities", {"contact": contact})).results

    async def erase(self, contact: str) -> bool:
        """Remove the record *contact* with its activities; return whether there was one.

        The CRM makes repeating it harmless: a record that is gone stays gone.
        """
        path = f"/api/contacts/{quote(contact, safe='')}"
        answer = await self.write(path, None, repeatable=True, method="DELETE")
        if answer.status == 404:
            return False
        self.expect(answer, 204)
        return True

    async def activity_by_reference(self, reference: str) -> Activity | None:
        """Return the activity that was recorded under *reference*, if there is one."""
        found = await self.found(Activities, "/api/activities", {"client_ref": reference})
        return next(iter(found.results), None)

    async def record_activity(
        self, *, reference: str, contact: str | None, subject: str, body: str
    ) -> Activity:
        """Record an activity. The CRM does not notice repetitions: look up *reference* first.

        Raises `OutcomeUnknown` when nobody can tell whether it was recorded.
        """
        activity = {
            "client_ref": reference,
            "contact": contact,
            "kind": "return",
            "subject": subject,
            "body": body,
        }
        answer = await self.write("/api/activities", activity, repeatable=False)
        return self.done(answer, Activity)
