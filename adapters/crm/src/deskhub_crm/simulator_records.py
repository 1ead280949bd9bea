"""The simulated CRM's memory: people from the demo world and what was noted on them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deskhub_sdk.testing.facts import World

MONTHS = 12
OWNERS = ("Li Wei", "Sara Lind", "Zhou Min")


@dataclass(slots=True)
class CrmRecords:
    """Contacts by number, activities in the order they came."""

    world: World
    activities: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    def contact(self, number: str) -> dict[str, Any] | None:
        """Return the record of a customer *number* as the interface writes it."""
        person = self.world.people.get(number)
        if person is None or number in self.erased:
            return None
        own = [one for one in self.activities if one["contact"] == _id(number)]
        orders = self.world.orders_of(number)
        return {
            "id": _id(number),
            "number": number,
            "name": person.name,
            "email": person.email,
            "phone": person.phone,
            "language": person.language,
            "tier": person.tier,
            "customer_since": _time(person.since),
            "lifetime": {
                "amount": person.lifetime.amount, "currency": person.lifetime.currency,
            },
            "orders": len(orders),
            "return_rate": person.return_rate,
            "spend": self._spend(number),
            "owner": OWNERS[int(number[2:]) % len(OWNERS)],
            "notes": [
                {"text": note.text, "at": _time(note.at), "by": note.author}
                for note in person.notes
            ],
            "tags": list(person.tags),
            "activities": len(own),
            "last_activity": own[-1] if own else None,
            "version": 1 + self.versions.get(number, 0),
            "updated_at": own[-1]["at"] if own else _time(self.world.now),
        }  # fmt: skip

    def search(self, *, email: str | None, phone: str | None) -> Sequence[dict[str, Any]]:
        """Return the records with this e-mail address or phone number."""
        found = [
            person.number
            for person in self.world.people.values()
            if (email is not None and person.email.lower() == email.lower())
            or (phone is not None and _digits(person.phone) == _digits(phone))
        ]
        return [record for number in found if (record := self.contact(number))]

    def record(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Append an activity; asked twice, it is there twice, as in most hosted CRMs."""
        contact = given.get("contact")
        activity = {
            "id": f"A-{512 + len(self.activities)}",
            "contact": contact,
            "kind": str(given.get("kind", "note")),
            "subject": str(given["subject"]),
            "body": str(given.get("body", "")),
            "client_ref": given.get("client_ref"),
            "at": _time(datetime.now(UTC)),
        }
        self.take(activity)
        return activity

    def erase(self, contact: str) -> bool:
        """Remove a contact and its activities; return whether it was there."""
        number = self.number_of(contact)
        if number is None:
            return False
        self.erased.add(number)
        self.activities = [one for one in self.activities if one["contact"] != contact]
        return True

    def take(self, activity: dict[str, Any]) -> None:
        """Put an activity on its contact's record."""
        self.activities.append(activity)
        number = self.number_of(activity["contact"])
        if number is not None:
            self.versions[number] = self.versions.get(number, 0) + 1

    def number_of(self, contact: object) -> str | None:
        """Return the customer number of a contact id, None when there is no such contact."""
        number = f"C-{str(contact).removeprefix('ct_')}"
        known = number in self.world.people and number not in self.erased
        return number if known and contact == _id(number) else None

    def _spend(self, number: str) -> list[float]:
        """Return what was spent in each of the last twelve months, oldest first."""
        months = [0.0] * MONTHS
        for order in self.world.orders_of(number):
            age = int((self.world.now - order.placed_at).days / 30.44)
            if 0 <= age < MONTHS and order.status != "cancelled":
                months[MONTHS - 1 - age] += order.total.minor / 100
        return [round(month, 2) for month in months]


def _id(number: str) -> str:
    return f"ct_{number.removeprefix('C-')}"


def _digits(phone: str) -> str:
    return re.sub(r"[^0-9]", "", phone)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
