"""The cards of an order: for agents with actions, and live for the customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from deskhub_orders.mapping import RETURNABLE
from deskhub_orders.texts import TEXTS, text
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
    Moment,
    NoticeBlock,
    SectionBlock,
    T,
    Text,
    TextBlock,
    TimelineBlock,
    Tone,
    Value,
    copyable,
    money,
    when,
)

STATUS_TONE: dict[str, Tone] = {
    "placed": "neutral", "paid": "neutral", "packed": "neutral", "shipped": "info",
    "delivered": "success", "completed": "neutral", "cancelled": "danger",
    "returned": "warning",
}  # fmt: skip
MAX_LINES = 8
MAX_ORDERS = 24
MAX_MOMENTS = 25
SILENT_CARRIER = timedelta(days=3)


def agent_cards(
    orders: Sequence[Order], instance: str, language: str, now: datetime
) -> tuple[Card, ...]:
    """Return what an agent sees of *orders*, newest first: the latest whole, others as rows."""
    if not orders:
        return ()
    cards = [detail_card(orders[0], instance, language, now)]
    if len(orders) > 1:
        cards.append(_earlier_card(orders[1:], instance))
    return tuple(cards)


def detail_card(order: Order, instance: str, language: str, now: datetime) -> Card:
    """Return the whole order for an agent, with what they can do about it."""
    blocks: list[Block] = []
    if order.status == "shipped" and now - order.updated_at > SILENT_CARRIER:
        days = (now - order.updated_at).days
        blocks.append(NoticeBlock(text=T("orders.delay", {"days": days}), tone="warning"))
    blocks += [
        FieldsBlock(_fields(order), 2),
        *_lines(order, with_sku=True),
        SectionBlock(title=T("orders.shipping"), blocks=(_timeline(order),)),
    ]
    return Card(
        id=f"orders.detail:{order.id.lower()}",
        rev=order.version,
        title=T("orders.title", {"number": order.number}),
        icon="package",
        badge=_badge(order),
        as_of=order.updated_at,
        href=order.url if order.url and order.url.startswith("https://") else None,
        audience="agent",
        blocks=tuple(blocks),
        actions=_actions(order, instance),
        fallback=_fallback(order, language),
        summary=_summary(order, language),
    )


def live_card(order: Order, language: str, audience: Audience) -> Card:
    """Return the order as its customer sees it; a later version replaces it in place."""
    fields = [Field(T("orders.total"), money(order.total))]
    if order.tracking:
        fields.append(Field(T("orders.tracking"), copyable(order.tracking[:200])))
    return Card(
        id=f"orders.order:{order.id.lower()}",
        rev=order.version,
        title=T("orders.title", {"number": order.number}),
        subtitle=order.carrier,
        icon="package",
        badge=_badge(order),
        as_of=order.updated_at,
        audience=audience,
        blocks=(
            _timeline(order),
            *_lines(order, with_sku=False),
            FieldsBlock(tuple(fields), 2),
        ),
        fallback=_fallback(order, language),
        summary=_summary(order, language),
    )


def why_not(order: Order) -> T | None:
    """Return why nothing of *order* can be returned, or None."""
    if any(line.returnable > 0 for line in order.lines):
        return None
    if order.status == "cancelled":
        return T("orders.why.cancelled")
    if order.status == "returned":
        return T("orders.why.returned")
    if order.status not in RETURNABLE:
        return T("orders.why.not_delivered")
    notes = {line.note for line in order.lines}
    if notes == {"Final sale"}:
        return T("orders.why.final_sale")
    return T("orders.why.returned" if "Already returned" in notes else "orders.why.too_late")


def _earlier_card(orders: Sequence[Order], instance: str) -> Card:
    items = tuple(
        Item(
            id=order.id,
            title=f"#{order.number}",
            subtitle=_contents(order),
            value=money(order.total),
            badge=_badge(order),
            action=None if why_not(order) else _return(order, instance),
        )
        for order in orders[:MAX_ORDERS]
    )
    blocks: list[Block] = [ListBlock(items)]
    if len(orders) > MAX_ORDERS:
        hidden = T("orders.more_orders", {"count": len(orders) - MAX_ORDERS})
        blocks.append(TextBlock(hidden, muted=True))
    return Card(
        id=f"orders.earlier:{orders[0].customer.lower()}",
        rev=max(int(order.updated_at.timestamp()) for order in orders),
        title=T("orders.earlier"),
        icon="list",
        blocks=tuple(blocks),
        fallback=", ".join(f"#{order.number}" for order in orders[:MAX_ORDERS])[:500],
    )


def _contents(order: Order) -> Text:
    if len(order.lines) == 1:
        return order.lines[0].title[:200]
    return T("orders.pieces", {"count": sum(line.quantity for line in order.lines)})


def _fields(order: Order) -> tuple[Field, ...]:
    paid = order.paid_with if order.payment else None
    fields = [
        Field(T("orders.total"), money(order.total)),
        Field(T("orders.paid_with"), paid[:200] if paid else Value(t="orders.unpaid")),
        Field(T("orders.ordered"), when(order.placed_at, "datetime")),
    ]
    if order.refunded.minor:
        fields.append(Field(T("orders.refunded"), money(order.refunded)))
    if order.carrier:
        fields.append(Field(T("orders.carrier"), order.carrier[:200]))
    if order.tracking:
        fields.append(Field(T("orders.tracking"), copyable(order.tracking[:200])))
    return tuple(fields)


def _lines(order: Order, *, with_sku: bool) -> list[Block]:
    shown = order.lines[:MAX_LINES]
    blocks: list[Block] = [ListBlock(tuple(_line(line, with_sku=with_sku) for line in shown))]
    if len(order.lines) > MAX_LINES:
        hidden = T("orders.more_lines", {"count": len(order.lines) - MAX_LINES})
        blocks.append(TextBlock(hidden, muted=True))
    return blocks


def _line(line: OrderLine, *, with_sku: bool) -> Item:
    badge = None
    if line.note == "Final sale":
        badge = Badge(T("orders.tag.final_sale"))
    elif line.note == "Already returned":
        badge = Badge(T("orders.tag.returned"), "warning")
    amount = f"× {line.quantity}"
    return Item(
        id=line.id,
        title=line.title[:500],
        subtitle=f"{line.sku} {amount}" if with_sku else amount,
        value=money(line.unit_price.times(line.quantity)),
        badge=badge,
    )


def _timeline(order: Order) -> TimelineBlock:
    return TimelineBlock(
        tuple(
            Moment(
                text=_event(event.text),
                state=event.state,
                time=event.at,
                detail=event.detail[:500] if event.detail else None,
            )
            for event in order.events[-MAX_MOMENTS:]
        )
    )


def _event(code: str) -> Text:
    """Return what happened as a word of ours, or in the shop's own word if it is new."""
    key = f"orders.event.{code}"
    return T(key) if key in TEXTS["en"] else code[:200]


def _actions(order: Order, instance: str) -> tuple[Action, ...]:
    actions = [_return(order, instance)]
    if order.status == "shipped" and order.tracking and order.carrier:
        told = T(
            "orders.share_text",
            {"number": order.number, "carrier": order.carrier, "tracking": order.tracking},
        )
        actions.append(Action(id="share", label=T("orders.share"), do=Do(insert=told)))
    return tuple(actions)


def _return(order: Order, instance: str) -> Action:
    return Action(
        id="return",
        label=T("orders.return"),
        icon="undo",
        style="primary",
        do=Do(invoke="order.return", args={"object": f"{instance}:{order.id}"}),
        disabled=why_not(order),
    )


def _badge(order: Order) -> Badge:
    return Badge(T(f"orders.status.{order.status}"), STATUS_TONE[order.status])


def _summary(order: Order, language: str) -> str:
    status = text(language, f"orders.status.{order.status}")
    return text(language, "orders.summary", number=order.number, status=status)[:120]


def _fallback(order: Order, language: str) -> str:
    amount = f"{order.total.currency} {order.total.amount}"
    return f"{_summary(order, language)} · {amount}"[:500]
