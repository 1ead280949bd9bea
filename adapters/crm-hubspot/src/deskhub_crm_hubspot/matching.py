"""Who a visitor may be: candidates from HubSpot, with a confidence and the reason for it."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_crm_hubspot.client import HubspotClient
from deskhub_crm_hubspot.mapping import Contact, match_of
from deskhub_crm_hubspot.texts import text
from deskhub_sdk import CustomerMatch, Identity, Loader

# What the shop's server signed is as good as known; what a visitor typed is a hint.
SURE = 1.0
CONFIDENCE = {"number": 0.5, "email": 0.6, "phone": 0.5}
VERIFIED = {"number": 0.5, "email": 0.9, "phone": 0.8}


async def candidates(
    identity: Identity,
    contacts: Loader[str, Contact],
    client: HubspotClient,
    number: str,
    language: str,
) -> Sequence[CustomerMatch]:
    """Return who *identity* may be, best first; *number* names the number's property.

    A signed customer number ends the search without one. A contact without a number is
    nobody the hub could name.
    """
    hits: dict[str, Sequence[Contact]] = {}
    if identity.subject is not None:
        contact = await contacts.load(identity.subject)
        if contact is not None and identity.verified:
            why = text(language, "why.signed")
            return (match_of(contact, identity.subject, SURE, why),)
        hits["number"] = (contact,) if contact is not None else ()
    if identity.email:
        hits["email"] = await client.search("email", identity.email.strip().lower())
    if identity.phone:
        hits["phone"] = await client.search("phone", identity.phone.strip())
    found: dict[str, tuple[Contact, float, list[str]]] = {}
    for by, several in hits.items():
        sure = (VERIFIED if identity.verified else CONFIDENCE)[by]
        for contact in several:
            subject = contact.told(number)
            if subject is None:
                continue
            _, doubt, why_all = found.get(subject, (contact, 1.0, []))
            reason = text(language, f"why.{by}")
            if len(several) > 1:
                reason = f"{reason} ({text(language, 'why.shared')})"
            found[subject] = (contact, doubt * (1 - sure / len(several)), [*why_all, reason])
    matches = [
        match_of(contact, subject, 1 - doubt, "; ".join(why_all))
        for subject, (contact, doubt, why_all) in found.items()
    ]
    return sorted(matches, key=lambda match: (-match.confidence, match.subject))
