"""A customer's rights in HubSpot: what it holds of them, and erasing it for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from deskhub_crm_hubspot.client import HubspotClient, sound
from deskhub_crm_hubspot.mapping import Contact
from deskhub_sdk import Customer, ErasedCustomer


async def held(client: HubspotClient, customer: Customer) -> Mapping[str, Any]:
    """Return the contacts of *customer* and the latest notes; empty when there is none."""
    found = await _contacts(client, customer)
    if not found:
        return {}
    return {
        "contacts": [
            {
                **msgspec.to_builtins(one),
                "notes": [
                    dict(note.properties) for note in await client.notes_of(one.id)
                ],
            }
            for one in found
        ]
    }  # fmt: skip


async def erased(client: HubspotClient, customer: Customer) -> ErasedCustomer:
    """Erase the contact of *customer*; an address that several share says not whom."""
    found = await _contacts(client, customer)
    if len(found) > 1:
        text = f"{len(found)} contacts share this address; a colleague has to choose."
        return ErasedCustomer("kept", text)
    gone = [one.id for one in found if await client.erase(one.id)]
    if not gone:
        return ErasedCustomer("absent", "No contact was found.")
    return ErasedCustomer("erased", "The contact was erased for good, as privacy laws ask.")


async def _contacts(client: HubspotClient, customer: Customer) -> list[Contact]:
    """Return the contact with the customer's number, else those with the e-mail address."""
    if customer.subject is not None:
        return list(sound(await client.contacts([customer.subject])).values())
    if customer.email is not None:
        return list(await client.search("email", customer.email.strip().lower()))
    return []
