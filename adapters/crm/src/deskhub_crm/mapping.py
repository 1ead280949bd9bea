"""What the CRM answers, checked and turned into the contract's records."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from deskhub_sdk import CustomerMatch, Malformed, Money
from deskhub_sdk.rest import Wire

Tier = Literal["standard", "silver", "gold", "vip"]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class Amount(Wire, frozen=True):
    """Money as the CRM writes it."""

    amount: str
    currency: str


class Note(Wire, frozen=True):
    """A remark a colleague left on the record."""

    text: str
    at: Aware
    by: str = ""


class Activity(Wire, frozen=True):
    """Something that happened with a customer; *client_ref* is the caller's own reference."""

    id: str
    subject: str
    at: Aware
    contact: str | None = None
    client_ref: str | None = None
    url: str | None = None


class Contact(Wire, frozen=True):
    """A person record; *spend* is what they spent in each of the last months, oldest first."""

    id: str
    number: str
    name: str
    version: int
    updated_at: Aware
    customer_since: Aware
    lifetime: Amount
    tier: Tier = "standard"
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    orders: int = 0
    return_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    spend: tuple[float, ...] = ()
    owner: str | None = None
    notes: tuple[Note, ...] = ()
    tags: tuple[str, ...] = ()
    activities: int = 0
    last_activity: Activity | None = None
    url: str | None = None


class Contacts(Wire, frozen=True):
    """A list of contacts as an answer."""

    results: tuple[Contact, ...]


class Activities(Wire, frozen=True):
    """A list of activities as an answer."""

    results: tuple[Activity, ...]


def money_of(amount: Amount) -> Money:
    """Return *amount* as the contract's money. Raises `Malformed` when it is none."""
    try:
        return Money(amount.amount, amount.currency)
    except ValueError as error:
        raise Malformed(f"the CRM's amount is not money: {error}") from error


def match_of(contact: Contact, confidence: float, why: str) -> CustomerMatch:
    """Return *contact* as a candidate for an identity."""
    return CustomerMatch(
        subject=contact.number,
        confidence=round(confidence, 2),
        name=contact.name,
        email=contact.email,
        phone=contact.phone,
        language=contact.language,
        tags=(contact.tier, *contact.tags) if contact.tier != "standard" else contact.tags,
        why=why,
    )


def plain_phone(phone: str) -> str:
    """Return *phone* in the form the CRM searches by: digits with an optional plus."""
    return re.sub(r"(?!^\+)[^0-9]", "", phone.strip())
