"""Who a visitor may be: candidates from the CRM, with a confidence and the reason for it."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_crm.client import CrmClient
from deskhub_crm.mapping import Contact, match_of
from deskhub_crm.texts import text
from deskhub_sdk import CustomerMatch, Identity, Loader

# What the shop's server signed is as good as known; what a visitor typed is a hint.
SURE = 1.0
CONFIDENCE = {"subject": 0.5, "email": 0.6, "phone": 0.5}
VERIFIED = {"email": 0.9, "phone": 0.8}


async def candidates(
    identity: Identity, contacts: Loader[str, Contact], client: CrmClient, language: str
) -> Sequence[CustomerMatch]:
    """Return who *identity* may be, best first.

    A signed customer number ends the search. Otherwise number, e-mail and phone are
    searched by; a record that several of them name gains confidence, and a mark that several
    records share loses it.
    """
    if identity.subject is not None:
        contact = await contacts.load(identity.subject)
        if contact is not None and identity.verified:
            return (match_of(contact, SURE, text(language, "why.subject.verified")),)
    else:
        contact = None
    marks: dict[str, Sequence[Contact]] = {"subject": (contact,) if contact else ()}
    if identity.email:
        marks["email"] = await client.search("email", identity.email)
    if identity.phone:
        marks["phone"] = await client.search("phone", identity.phone)
    return _merged(marks, language, verified=identity.verified)


def _merged(
    marks: dict[str, Sequence[Contact]], language: str, *, verified: bool
) -> Sequence[CustomerMatch]:
    found: dict[str, tuple[Contact, float, list[str]]] = {}
    for by, hits in marks.items():
        sure = (VERIFIED if verified else CONFIDENCE).get(by, CONFIDENCE[by])
        for contact in hits:
            _, doubt, why = found.get(contact.number, (contact, 1.0, []))
            reason = text(language, f"why.{by}")
            if len(hits) > 1:
                reason = f"{reason} ({text(language, 'why.shared')})"
            found[contact.number] = (contact, doubt * (1 - sure / len(hits)), [*why, reason])
    matches = [
        match_of(contact, 1 - doubt, "; ".join(why)) for contact, doubt, why in found.values()
    ]
    return sorted(matches, key=lambda match: (-match.confidence, match.subject))
