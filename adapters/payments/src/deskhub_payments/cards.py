"""The cards of a payment: what was captured, what went back, what can still go back."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_payments.mapping import Charge, Refund, amount_of
from deskhub_payments.texts import shown, text
from deskhub_sdk.cards import (
    Badge,
    Block,
    Card,
    Field,
    FieldsBlock,
    Item,
    ListBlock,
    SectionBlock,
    T,
    Tone,
    money,
    when,
)

MAX_REFUNDS = 10
MAX_EARLIER = 10
_TONE: dict[str, Tone] = {"succeeded": "success", "pending": "info", "failed": "danger"}


def payments_card(charges: Sequence[Charge], language: str) -> Card:
    """Return the latest of *charges* whole and the others as rows; newest first, not empty."""
    latest = charges[0]
    blocks: list[Block] = [FieldsBlock(_fields(latest), 2), *_refunds(latest)]
    if len(charges) > 1:
        rows = tuple(_row(charge) for charge in charges[1 : MAX_EARLIER + 1])
        earlier = SectionBlock(
            title=T("payments.earlier"), blocks=(ListBlock(rows),), open=False
        )
        blocks.append(earlier)
    return Card(
        id=f"payments.of:{latest.customer.lower()}",
        rev=sum(charge.version for charge in charges),
        title=T("payments.order", {"number": latest.order}),
        icon="credit-card",
        badge=_badge(latest),
        as_of=max(charge.updated_at for charge in charges),
        blocks=tuple(blocks),
        summary=_summary(latest, language),
        fallback=_summary(latest, language),
    )


def refund_card(charge: Charge, language: str) -> Card:
    """Return what went back on *charge*, for agents' timelines."""
    return Card(
        id=f"payments.payment:{charge.id.lower()}",
        rev=charge.version,
        title=T("payments.refund_title", {"number": charge.order}),
        icon="undo",
        badge=_badge(charge),
        as_of=charge.updated_at,
        audience="agent",
        blocks=(FieldsBlock(_fields(charge), 2), *_refunds(charge)),
        summary=_summary(charge, language),
        fallback=_summary(charge, language),
    )


def _fields(charge: Charge) -> tuple[Field, ...]:
    return (
        Field(T("payments.captured"), money(amount_of(charge.captured, charge.currency))),
        Field(T("payments.back"), money(amount_of(charge.refunded, charge.currency))),
        Field(T("payments.left"), money(amount_of(charge.left, charge.currency))),
        Field(T("payments.method"), charge.method[:200]),
        Field(T("payments.at"), when(charge.at, "datetime")),
    )


def _refunds(charge: Charge) -> list[Block]:
    if not charge.refunds:
        return []
    items = tuple(_refund(refund) for refund in charge.refunds[:MAX_REFUNDS])
    return [SectionBlock(title=T("payments.refunds"), blocks=(ListBlock(items),))]


def _refund(refund: Refund) -> Item:
    return Item(
        id=refund.id,
        title=refund.id,
        subtitle=refund.reason[:200] if refund.reason else None,
        value=money(amount_of(refund.amount, refund.currency)),
        badge=Badge(T(f"payments.{refund.status}"), _TONE[refund.status]),
    )


def _row(charge: Charge) -> Item:
    return Item(
        id=charge.id,
        title=f"#{charge.order}",
        subtitle=charge.method[:200],
        value=money(amount_of(charge.captured, charge.currency)),
        badge=_badge(charge),
    )


def _badge(charge: Charge) -> Badge:
    if charge.refunded == 0:
        return Badge(T("payments.paid"), "success")
    whole = charge.left <= 0
    return Badge(T("payments.refunded" if whole else "payments.part"), "warning")


def _summary(charge: Charge, language: str) -> str:
    key = "payments.summary" if charge.refunded else "payments.summary_none"
    minor = charge.refunded or charge.captured
    amount = shown(amount_of(minor, charge.currency))
    return text(language, key, amount=amount, number=charge.order)[:120]
