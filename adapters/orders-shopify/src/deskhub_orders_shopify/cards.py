"""The cards of an order: whole for agents, and live for agent and customer."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_orders_shopify.texts import TEXTS, text
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

TONE: dict[str, Tone] = {
    "placed": "neutral", "paid": "neutral", "packed": "neutral", "shipped": "info",
    "delivered": "success", "completed": "neutral", "cancelled": "danger",
    "returned": "warning",
}  # fmt: skip
MAX_LINES = 8
MAX_TEXT = 200


def agent_cards(
    orders: Sequence[Order], instance: str, language: str, known: int
) -> tuple[Card, ...]:
    """Return what an agent sees of *orders*, newest first; *known* is how many there are."""
    if not orders:
        return ()
    first, *others = orders
    return (
        _whole(first, instance, language),
        *((_earlier(others, instance, known),) if others else ()),
    )


def live_card(order: Order, language: str, audience: Audience) -> Card:
    """Return the order as its customer sees it; a later version replaces it in place."""
    fields = [Field(T("shopify.total"), money(order.total))]
    if order.refunded.minor:
        fields.append(Field(T("shopify.refunded"), money(order.refunded)))
    if order.tracking:
        fields.append(Field(T("shopify.tracking"), copyable(order.tracking[:MAX_TEXT])))
    return Card(
        id=f"orders-shopify.order:{order.id}",
        rev=order.version,
        title=T("shopify.title", {"number": order.number}),
        subtitle=order.carrier[:MAX_TEXT] if order.carrier else None,
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


def _whole(order: Order, instance: str, language: str) -> Card:
    href = order.url if order.url and order.url.startswith("https://") else None
    actions = [_return(order, instance)]
    if href:
        label = T("shopify.open")
        actions.append(Action(id="open", label=label, do=Do(open=href), style="link"))
    return Card(
        id=f"orders-shopify.whole:{order.id}",
        rev=order.version,
        title=T("shopify.title", {"number": order.number}),
        icon="package",
        badge=_badge(order),
        as_of=order.updated_at,
        href=href,
        blocks=(
            FieldsBlock(_fields(order), 2),
            *_lines(order, with_sku=True),
            _timeline(order),
        ),
        actions=tuple(actions),
        fallback=_fallback(order, language),
        summary=_summary(order, language),
    )


def _earlier(orders: Sequence[Order], instance: str, known: int) -> Card:
    items = tuple(
        Item(
            id=order.id,
            title=f"#{order.number}",
            subtitle=_contents(order),
            value=money(order.total),
            badge=_badge(order),
            action=_return(order, instance) if _can_return(order) else None,
        )
        for order in orders
    )
    blocks: list[Block] = [ListBlock(items)]
    hidden = known - len(orders) - 1
    if hidden > 0:
        blocks.append(TextBlock(T("shopify.more_orders", {"count": hidden}), muted=True))
    return Card(
        id=f"orders-shopify.earlier:{orders[0].id}",
        rev=max(order.version for order in orders),
        title=T("shopify.earlier"),
        icon="list",
        blocks=tuple(blocks),
        fallback=", ".join(f"#{order.number}" for order in orders)[:500],
    )


def _contents(order: Order) -> Text:
    if len(order.lines) == 1:
        return order.lines[0].title[:MAX_TEXT]
    return T("shopify.pieces", {"count": sum(line.quantity for line in order.lines)})


def _fields(order: Order) -> tuple[Field, ...]:
    paid = order.paid_with if order.payment else None
    fields = [
        Field(T("shopify.total"), money(order.total)),
        Field(T("shopify.paid_with"), paid[:MAX_TEXT] if paid else Value(t="shopify.unpaid")),
        Field(T("shopify.ordered"), when(order.placed_at, "datetime")),
    ]
    if order.refunded.minor:
        fields.append(Field(T("shopify.refunded"), money(order.refunded)))
    if order.carrier:
        fields.append(Field(T("shopify.carrier"), order.carrier[:MAX_TEXT]))
    if order.tracking:
        fields.append(Field(T("shopify.tracking"), copyable(order.tracking[:MAX_TEXT])))
    return tuple(fields)


def _lines(order: Order, *, with_sku: bool) -> list[Block]:
    shown = tuple(_line(one, with_sku=with_sku) for one in order.lines[:MAX_LINES])
    blocks: list[Block] = [ListBlock(shown)] if shown else []
    if len(order.lines) > MAX_LINES:
        hidden = T("shopify.more_lines", {"count": len(order.lines) - MAX_LINES})
        blocks.append(TextBlock(hidden, muted=True))
    return blocks


def _line(line: OrderLine, *, with_sku: bool) -> Item:
    back = Badge(T("shopify.tag.returned"), "warning")
    amount = f"× {line.quantity}"
    return Item(
        id=line.id,
        title=line.title[:500],
        subtitle=f"{line.sku} {amount}"[:MAX_TEXT].strip() if with_sku else amount,
        value=money(line.unit_price.times(line.quantity)),
        badge=back if line.note == "Already returned" else None,
    )


def _timeline(order: Order) -> TimelineBlock:
    return TimelineBlock(
        tuple(
            Moment(text=_event(event.text), state=event.state, time=event.at)
            for event in order.events
        )
    )


def _event(code: str) -> Text:
    key = f"shopify.event.{code}"
    return T(key) if key in TEXTS["en"] else code[:MAX_TEXT]


def _return(order: Order, instance: str) -> Action:
    return Action(
        id="return",
        label=T("shopify.return"),
        icon="undo",
        style="primary",
        do=Do(invoke="order.return", args={"object": f"{instance}:{order.id}"}),
        disabled=None if _can_return(order) else T("shopify.why"),
    )


def _can_return(order: Order) -> bool:
    return any(line.returnable > 0 for line in order.lines)


def _badge(order: Order) -> Badge:
    return Badge(T(f"shopify.status.{order.status}"), TONE[order.status])


def _summary(order: Order, language: str) -> str:
    status = text(language, f"shopify.status.{order.status}")
    return text(language, "shopify.summary", number=order.number, status=status)[:120]


def _fallback(order: Order, language: str) -> str:
    amount = f"{order.total.currency} {order.total.amount}"
    return f"{_summary(order, language)} · {amount}"[:500]
