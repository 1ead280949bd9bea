"""The card of a contact."""

from __future__ import annotations

from deskhub_crm_hubspot.mapping import Contact
from deskhub_crm_hubspot.texts import text
from deskhub_sdk.cards import (
    Action,
    Badge,
    Card,
    Do,
    Field,
    FieldsBlock,
    T,
    copyable,
    masked,
    masked_phone,
    when,
)

MAX_TEXT = 200
RECORD = "https://app.hubspot.com/contacts/{portal}/record/0-1/{contact}"


def contact_card(contact: Contact, portal: int | None, language: str) -> Card:
    """Return the card of *contact*; its revision is when it last changed."""
    fields = [Field(T("hubspot.since"), when(contact.created_at, "date"))]
    if email := contact.told("email"):
        fields.append(Field(T("hubspot.email"), copyable(email[:MAX_TEXT])))
    if phone := contact.told("phone"):
        fields.append(Field(T("hubspot.phone"), masked(masked_phone(phone), "customer.phone")))
    for name, key in (("hs_language", "language"), ("company", "company"), ("city", "city")):
        if told := contact.told(name):
            fields.append(Field(T(f"hubspot.{key}"), told[:MAX_TEXT]))
    stage = contact.told("lifecyclestage")
    href = RECORD.format(portal=portal, contact=contact.id) if portal else None
    summary = text(language, "hubspot.summary", name=contact.name)
    return Card(
        id=f"crm-hubspot.contact:{contact.id}",
        rev=contact.version,
        title=contact.name[:MAX_TEXT],
        icon="user",
        badge=Badge(stage[:40]) if stage else None,
        as_of=contact.updated_at,
        href=href,
        blocks=(FieldsBlock(tuple(fields), 2),),
        actions=(
            (Action(id="open", label=T("hubspot.open"), do=Do(open=href), style="link"),)
            if href
            else ()
        ),
        summary=summary[:120],
        fallback=summary[:500],
    )
