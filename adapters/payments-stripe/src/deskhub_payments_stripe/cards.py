"""The cards of payments: what was collected, what went back, what is in dispute."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_payments_stripe.mapping import GONE, REASON, Paid, Refund, moment
from deskhub_payments_stripe.texts import shown, text
from deskhub_sdk.cards import (
    Badge,
    Block,
    Card,
    Field,
    FieldsBlock,
    Item,
    ListBlock,
    NoticeBlock,
    SectionBlock,
    T,
    Tone,
    money,
    when,
)

MAX_REFUNDS, MAX_EARLIER = 10, 10
TONE: dict[str, Tone] = {
    "pending": "info", "requires_action": "warning", "succeeded": "success",
    "failed": "danger", "canceled": "neutral",
}  # fmt: skip


def payments_card(payments: Sequence[Paid], language: str) -> Card:
    """Return the latest of *payments* whole and the others as rows; newest first, not empty."""
    latest, *earlier = payments
    blocks = _blocks(latest)
    if earlier:
        rows = tuple(_row(one) for one in earlier[:MAX_EARLIER])
        blocks.append(
            SectionBlock(title=T("stripe.earlier"), blocks=(ListBlock(rows),), open=False)
        )
    return Card(
        id=f"stripe.of:{latest.customer.lower()}"[:128],
        rev=sum(one.version for one in payments),
        title=_title(latest, "stripe.payment"),
        icon="credit-card",
        badge=_badge(latest),
        as_of=moment(max(one.version for one in payments) // 1000),
        blocks=tuple(blocks),
        summary=_said(latest, language),
        fallback=_said(latest, language),
    )


def changed_card(paid: Paid, language: str) -> Card:
    """Return a payment that just changed, for agents' timelines."""
    return Card(
        id=f"stripe.payment:{paid.id.lower()}"[:128],
        rev=paid.version,
        title=_title(paid, "stripe.changed"),
        icon="credit-card",
        badge=_badge(paid),
        as_of=moment(paid.version // 1000),
        audience="agent",
        blocks=tuple(_blocks(paid)),
        summary=_said(paid, language),
        fallback=_said(paid, language),
    )


def _blocks(paid: Paid) -> list[Block]:
    blocks: list[Block] = []
    if paid.disputed:
        blocks.append(NoticeBlock(text=T("stripe.dispute"), tone="danger"))
    if any(one.status in GONE for one in paid.refunds):
        blocks.append(NoticeBlock(text=T("stripe.failed"), tone="warning"))
    fields = (
        Field(T("stripe.captured"), money(paid.money(paid.captured))),
        Field(T("stripe.refunded"), money(paid.money(paid.refunded))),
        Field(T("stripe.left"), money(paid.money(paid.left))),
        Field(T("stripe.method"), paid.method),
        Field(T("stripe.at"), when(moment(paid.at), "datetime")),
    )
    blocks.append(FieldsBlock(fields, 2))
    if paid.refunds:
        rows = tuple(_refund(paid, one) for one in paid.refunds[:MAX_REFUNDS])
        blocks.append(SectionBlock(title=T("stripe.refunds"), blocks=(ListBlock(rows),)))
    return blocks


def _refund(paid: Paid, refund: Refund) -> Item:
    return Item(
        id=refund.id,
        title=refund.id[:200],
        subtitle=refund.metadata.get(REASON, "")[:200] or None,
        value=money(paid.money(refund.amount)),
        badge=Badge(T(f"stripe.refund.{refund.status}"), TONE[refund.status]),
    )


def _row(paid: Paid) -> Item:
    return Item(
        id=paid.id,
        title=_title(paid, "stripe.payment"),
        subtitle=paid.method,
        value=money(paid.money(paid.captured)),
        badge=_badge(paid),
    )


def _title(paid: Paid, key: str) -> T:
    return T(key, {"number": paid.order[:100]}) if paid.order else T("stripe.nameless")


def _badge(paid: Paid) -> Badge:
    if paid.disputed:
        return Badge(T("stripe.disputed"), "danger")
    if paid.refunded == 0:
        return Badge(T("stripe.paid"), "success")
    return Badge(T("stripe.refunded" if paid.left == 0 else "stripe.part"), "warning")


def _said(paid: Paid, language: str) -> str:
    key = "stripe.said.refunded" if paid.refunded else "stripe.said.paid"
    amount = shown(paid.money(paid.refunded or paid.captured))
    return text(language, key, amount=amount, number=paid.order)[:120]
