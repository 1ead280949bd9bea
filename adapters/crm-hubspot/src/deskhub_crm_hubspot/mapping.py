"""What HubSpot answers, checked and turned into the contract's records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec

from deskhub_sdk import CustomerMatch
from deskhub_sdk.rest import Wire

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
NOT_FOUND = "OBJECT_NOT_FOUND"
MERGED = "hs_merged_object_ids"
PROPERTIES = (
    "firstname", "lastname", "email", "phone", "hs_language", "lifecyclestage", "company",
    "city", "createdate", MERGED,
)  # fmt: skip
MARK = "deskhub:"
_MARKED = re.compile(r"deskhub:([A-Za-z0-9_.-]+)")


class Camel(Wire, frozen=True, rename="camel"):
    """Base of HubSpot's objects."""


class Contact(Camel, frozen=True):
    """A contact; every property is a text or null."""

    id: str
    properties: Mapping[str, str | None]
    created_at: Aware
    updated_at: Aware
    archived: bool = False

    def told(self, name: str) -> str | None:
        """Return the property *name*, None when it is empty."""
        return (self.properties.get(name) or "").strip() or None

    @property
    def name(self) -> str:
        """Return what people call this contact."""
        parts = (self.told("firstname"), self.told("lastname"))
        return " ".join(one for one in parts if one) or self.told("email") or f"#{self.id}"

    @property
    def version(self) -> int:
        """Return a number that grows with every change: milliseconds since 1970."""
        return int(self.updated_at.timestamp() * 1000)

    @property
    def former_ids(self) -> tuple[str, ...]:
        """Return the ids of contacts that were merged into this one."""
        return tuple(one for one in (self.told(MERGED) or "").split(";") if one)


class Note(Camel, frozen=True):
    """A note on a contact."""

    id: str
    properties: Mapping[str, str | None]

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys of steps whose marks the note carries."""
        return frozenset(_MARKED.findall(self.properties.get("hs_note_body") or ""))


class BatchError(Camel, frozen=True):
    """Why some of a batch is not there; *context* has ``ids``."""

    category: str = ""
    message: str = ""
    context: Mapping[str, Any] = {}

    @property
    def ids(self) -> Sequence[str]:
        """Return the ids that it is about."""
        found = self.context.get("ids", ())
        return [str(one) for one in found] if isinstance(found, list | tuple) else []


class Contacts(Camel, frozen=True):
    """A batch of contacts; with status 207 some of it failed."""

    results: tuple[Contact, ...]
    errors: tuple[BatchError, ...] = ()


class Notes(Camel, frozen=True):
    """A batch of notes."""

    results: tuple[Note, ...]
    errors: tuple[BatchError, ...] = ()


class _Next(Camel, frozen=True):
    after: str = ""


class _Paging(Camel, frozen=True):
    next: _Next | None = None


class Found(Camel, frozen=True):
    """A page of what a search found."""

    results: tuple[Contact, ...]
    paging: _Paging | None = None

    @property
    def after(self) -> str:
        """Return where the next page begins, "" when this is the last one."""
        return self.paging.next.after if self.paging and self.paging.next else ""


class _Linked(Camel, frozen=True):
    to_object_id: int


class Linked(Camel, frozen=True):
    """What is linked with a contact."""

    results: tuple[_Linked, ...]
    paging: _Paging | None = None

    @property
    def after(self) -> str:
        """Return where the next page begins, "" when this is the last one."""
        return self.paging.next.after if self.paging and self.paging.next else ""


class Property(Camel, frozen=True):
    """A property of contacts."""

    name: str
    label: str
    has_unique_value: bool = False


def match_of(contact: Contact, number: str, confidence: float, why: str) -> CustomerMatch:
    """Return *contact* as a candidate for an identity."""
    stage = contact.told("lifecyclestage")
    return CustomerMatch(
        subject=number,
        confidence=round(confidence, 2),
        name=contact.name,
        email=contact.told("email"),
        phone=contact.told("phone"),
        language=contact.told("hs_language"),
        tags=(stage,) if stage else (),
        why=why,
    )
