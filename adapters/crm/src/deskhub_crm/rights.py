"""A customer's rights in the CRM: what it holds of them, and forgetting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from deskhub_crm.client import CrmClient
from deskhub_crm.mapping import Contact
from deskhub_sdk import Customer, ErasedCustomer


async def held(client: CrmClient, customer: Customer) -> Mapping[str, Any]:
    """Return the records of *customer* and what is noted on each; empty when there is none."""
    records = await _records(client, customer)
    if not records:
        return {}
    return {
        "contacts": [
            {
                **msgspec.to_builtins(one),
                "activities": [
                    msgspec.to_builtins(each) for each in await client.activities_of(one.id)
                ],
            }
            for one in records
        ]
    }


async def erased(client: CrmClient, customer: Customer) -> ErasedCustomer:
    """Remove the record of *customer*.

    An address that several people share says nothing of who is meant: then all are kept.
    """
    records = await _records(client, customer)
    if len(records) > 1:
        text = f"{len(records)} records share this address; a colleague has to choose."
        return ErasedCustomer("kept", text)
    gone = [one.id for one in records if await client.erase(one.id)]
    if not gone:
        return ErasedCustomer("absent", "No record was found.")
    return ErasedCustomer("erased", "The record and its activities were removed.")


async def _records(client: CrmClient, customer: Customer) -> list[Contact]:
    """Return the record with the customer's number, else those with the e-mail address."""
    if customer.subject is not None:
        return list((await client.contacts([customer.subject])).values())
    if customer.email is not None:
        return list(await client.search("email", customer.email))
    return []
