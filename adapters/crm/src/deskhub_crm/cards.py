"""The profile card: who this is, what they are worth, what colleagues noted."""

from __future__ import annotations

from deskhub_crm.mapping import Contact, money_of
from deskhub_crm.texts import text
from deskhub_sdk.cards import (
    Action,
    Badge,
    Block,
    Card,
    Do,
    Field,
    FieldsBlock,
    Item,
    ListBlock,
    Metric,
    MetricsBlock,
    SectionBlock,
    T,
    Tone,
    Value,
    copyable,
    masked,
    masked_phone,
    money,
    number,
    percent,
    when,
)

TIER_TONE: dict[str, Tone] = {
    "standard": "neutral", "silver": "info", "gold": "warning", "vip": "success",
}  # fmt: skip
HIGH_RETURN_RATE = 0.3
# A rate over a handful of orders says nothing about the person.
ORDERS_FOR_A_RATE = 5
MAX_NOTES = 5
MAX_POINTS = 24


def profile_card(contact: Contact, language: str) -> Card:
    """Return the card of *contact*; its revision is the record's version."""
    tier = text(language, f"crm.tier.{contact.tier}")
    summary = text(language, "card.summary", tier=tier, year=contact.customer_since.year)
    blocks: list[Block] = [MetricsBlock(_metrics(contact)), FieldsBlock(_fields(contact), 2)]
    if contact.notes:
        blocks.append(SectionBlock(title=T("crm.notes"), blocks=(_notes(contact),)))
    href = contact.url if contact.url and contact.url.startswith("https://") else None
    return Card(
        id=f"crm.contact.{contact.number.lower()}",
        rev=contact.version,
        title=contact.name,
        icon="user",
        badge=Badge(T(f"crm.tier.{contact.tier}"), TIER_TONE[contact.tier]),
        as_of=contact.updated_at,
        href=href,
        blocks=tuple(blocks),
        actions=(
            (Action(id="open", label=T("crm.open"), do=Do(open=href), style="link"),)
            if href
            else ()
        ),
        summary=summary,
        fallback=f"{contact.name} · {summary}",
    )


def _metrics(contact: Contact) -> tuple[Metric, ...]:
    rate = Metric(label=T("crm.return_rate"), value=percent(round(contact.return_rate, 3)))
    if contact.orders >= ORDERS_FOR_A_RATE and contact.return_rate >= HIGH_RETURN_RATE:
        rate = Metric(label=rate.label, value=rate.value, tone="warning")
    return (
        Metric(
            label=T("crm.lifetime"),
            value=money(money_of(contact.lifetime)),
            series=contact.spend[-MAX_POINTS:],
        ),
        Metric(label=T("crm.orders"), value=number(contact.orders)),
        rate,
    )


def _fields(contact: Contact) -> tuple[Field, ...]:
    fields = [Field(T("crm.since"), when(contact.customer_since, "date"))]
    if contact.phone:
        fields.append(
            Field(T("crm.phone"), masked(masked_phone(contact.phone), "customer.phone"))
        )
    if contact.email:
        fields.append(Field(T("crm.email"), copyable(contact.email[:200])))
    if contact.language:
        fields.append(Field(T("crm.language"), _language(contact.language)))
    if contact.owner:
        fields.append(Field(T("crm.owner"), contact.owner[:200]))
    if contact.last_activity is not None:
        fields.append(Field(T("crm.last_activity"), when(contact.last_activity.at)))
    return tuple(fields)


def _language(code: str) -> Value:
    known = {"en": "crm.language.en", "zh-CN": "crm.language.zh-cn"}
    return Value(t=known[code]) if code in known else Value(text=code[:40])


def _notes(contact: Contact) -> ListBlock:
    latest = sorted(contact.notes, key=lambda note: note.at, reverse=True)[:MAX_NOTES]
    return ListBlock(
        tuple(
            Item(title=note.text[:500], subtitle=note.by[:120] or None, value=when(note.at))
            for note in latest
        )
    )
