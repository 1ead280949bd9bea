"""The cards of an order: whole for agents, live for both sides of the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_orders_woocommerce.texts import shown, text
from deskhub_sdk import Order, OrderLine
from deskhub_sdk.cards import (
    Action,
    Audience,
    Badge,
    Block,
    Card,
    Do,
    Field,
    FieldsBlock,
    Item,
    ListBlock,
    T,
    TextBlock,
    Tone,
    Value,
    money,
    when,
)

TONE: dict[str, Tone] = {
    "placed": "neutral", "paid": "info", "shipped": "info", "delivered": "success",
    "completed": "neutral", "cancelled": "danger", "returned": "warning",
}  # fmt: skip
MAX_LINES, MAX_ORDERS = 8, 24


def agent_cards(
    orders: Sequence[Order], instance: str, language: str, admin: str
) -> tuple[Card, ...]:
    """Return the newest of *orders* whole and the others as rows; *admin* is the shop's own."""
    if not orders:
        return ()
    latest, *earlier = orders
    cards = [_whole(latest, instance, language, admin)]
    if earlier:
        rows = tuple(_row(order, instance) for order in earlier[:MAX_ORDERS])
        blocks: list[Block] = [ListBlock(rows)]
        if len(earlier) > MAX_ORDERS:
            hidden = T("woo.more", {"count": len(earlier) - MAX_ORDERS})
            blocks.append(TextBlock(hidden, muted=True))
        numbers = ", ".join(f"#{order.number}" for order in earlier[:MAX_ORDERS])
        cards.append(
            Card(
                id=f"woo.earlier:{latest.customer.lower()}"[:128],
                rev=max(order.version for order in earlier),
                title=T("woo.earlier"),
                icon="list",
                blocks=tuple(blocks),
                fallback=numbers[:500],
                summary=numbers[:120],
            )
        )
    return tuple(cards)


def live_card(order: Order, language: str, audience: Audience) -> Card:
    """Return the order as its customer may see it; a later version replaces it in place."""
    fields = (
        Field(T("woo.total"), money(order.total)),
        Field(T("woo.changed"), when(order.updated_at, "datetime")),
    )
    return Card(
        id=f"woo.order:{order.id}",
        rev=order.version,
        title=T("woo.order", {"number": order.number}),
        icon="package",
        badge=_badge(order),
        as_of=order.updated_at,
        audience=audience,
        blocks=(*_lines(order, with_sku=False), FieldsBlock(fields, 2)),
        summary=_said(order, language),
        fallback=f"{_said(order, language)} · {shown(order.total)}"[:500],
    )


def _whole(order: Order, instance: str, language: str, admin: str) -> Card:
    paid = order.paid_with if order.status != "placed" else None
    fields = [
        Field(T("woo.total"), money(order.total)),
        Field(T("woo.paid_with"), paid[:200] if paid else Value(t="woo.unpaid")),
        Field(T("woo.ordered"), when(order.placed_at, "datetime")),
        Field(T("woo.changed"), when(order.updated_at, "datetime")),
    ]
    if order.refunded.minor:
        fields.append(Field(T("woo.refunded"), money(order.refunded)))
    return Card(
        id=f"woo.detail:{order.id}",
        rev=order.version,
        title=T("woo.order", {"number": order.number}),
        icon="package",
        badge=_badge(order),
        as_of=order.updated_at,
        href=admin.replace("{id}", order.id) if admin.startswith("https://") else None,
        audience="agent",
        blocks=(FieldsBlock(tuple(fields), 2), *_lines(order, with_sku=True)),
        actions=(_return(order, instance),),
        summary=_said(order, language),
        fallback=f"{_said(order, language)} · {shown(order.total)}"[:500],
    )


def _row(order: Order, instance: str) -> Item:
    pieces = sum(line.quantity for line in order.lines)
    one = order.lines[0].title[:200] if len(order.lines) == 1 else None
    return Item(
        id=order.id,
        title=f"#{order.number}",
        subtitle=one or T("woo.pieces", {"count": pieces}),
        value=money(order.total),
        badge=_badge(order),
        action=None if _why_not(order) else _return(order, instance),
    )


def _lines(order: Order, *, with_sku: bool) -> list[Block]:
    rows = tuple(_line(line, with_sku=with_sku) for line in order.lines[:MAX_LINES])
    blocks: list[Block] = [ListBlock(rows)]
    if len(order.lines) > MAX_LINES:
        hidden = T("woo.more", {"count": len(order.lines) - MAX_LINES})
        blocks.append(TextBlock(hidden, muted=True))
    return blocks


def _line(line: OrderLine, *, with_sku: bool) -> Item:
    amount = f"× {line.quantity}"
    return Item(
        id=line.id,
        title=line.title[:500],
        subtitle=f"{line.sku[:100]} {amount}" if with_sku else amount,
        value=money(line.unit_price.times(line.quantity)),
        badge=Badge(T("woo.back"), "warning") if line.note == "Already returned" else None,
    )


def _return(order: Order, instance: str) -> Action:
    return Action(
        id="return",
        label=T("woo.return"),
        icon="undo",
        style="primary",
        do=Do(invoke="order.return", args={"object": f"{instance}:{order.id}"}),
        disabled=_why_not(order),
    )


def _why_not(order: Order) -> T | None:
    """Return why nothing of *order* can be returned, or None."""
    if any(line.returnable > 0 for line in order.lines):
        return None
    if order.status == "cancelled":
        return T("woo.why.cancelled")
    notes = {line.note for line in order.lines}
    if order.status == "returned" or "Already returned" in notes:
        return T("woo.why.returned")
    return T("woo.why.early" if "Not delivered yet" in notes else "woo.why.late")


def _badge(order: Order) -> Badge:
    return Badge(T(f"woo.status.{order.status}"), TONE[order.status])


def _said(order: Order, language: str) -> str:
    status = text(language, f"woo.status.{order.status}")
    return text(language, "woo.said", number=order.number, status=status)[:120]
