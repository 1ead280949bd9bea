"""What agents see: a customer's orders in the ERP, and one that just changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from deskhub_erp_tryton.mapping import Sale
from deskhub_erp_tryton.texts import text
from deskhub_sdk import Signal
from deskhub_sdk.cards import (
    AnyValue,
    Badge,
    Block,
    Card,
    Column,
    T,
    TableBlock,
    TextBlock,
    Tone,
    Value,
)

MAX_ROWS = 6
_TONES: Mapping[str, Tone] = {
    "exception": "danger", "waiting": "warning", "partially shipped": "warning",
    "awaiting payment": "warning",
}  # fmt: skip
_STATES = frozenset({"draft", "quotation", "confirmed", "processing", "done", "cancelled"})
_SHIPMENTS = frozenset({"none", "waiting", "partially shipped", "sent", "exception"})
_INVOICES = frozenset(
    {"none", "pending", "awaiting payment", "partially paid", "paid", "exception"}
)


def sales_card(customer: str, sales: Sequence[Sale], language: str, as_of: datetime) -> Card:
    """Return the latest orders of a customer, newest first."""
    stuck = sum(_is_stuck(one) for one in sales)
    blocks: list[Block] = [
        TableBlock(
            columns=(
                Column(T("sale.order")),
                Column(T("sale.state")),
                Column(T("sale.shipment")),
                Column(T("sale.invoice")),
            ),
            rows=tuple(_row(one) for one in sales[:MAX_ROWS]),
            caption=T("sale.caption"),
        )
    ]
    if len(sales) > MAX_ROWS:
        blocks.append(TextBlock(T("sale.more", {"count": len(sales) - MAX_ROWS}), muted=True))
    return Card(
        id=f"tryton.sales.{_slug(customer)}"[:128],
        # The list is read anew each time and has no version of its own.
        rev=int(as_of.timestamp()),
        title=T("sale.title"),
        icon="box",
        badge=Badge(T("sale.stuck"), "danger") if stuck else None,
        as_of=as_of,
        blocks=tuple(blocks),
        fallback=text(language, "sale.summary", count=len(sales), stuck=stuck),
    )


def changed_card(signal: Signal, language: str) -> Card:
    """Return an order whose state changed, for agents."""
    order = str(signal.data.get("order", ""))[:60]
    state, shipment, invoice = (
        str(signal.data.get(name, "none")) for name in ("state", "shipment", "invoice")
    )
    row = (
        order,
        _said("state", state, _STATES),
        _said("shipment", shipment, _SHIPMENTS),
        _said("invoice", invoice, _INVOICES),
    )
    return Card(
        id=f"tryton.sale.{_slug(order)}"[:128],
        rev=signal.version,
        title=T("sale.changed", {"order": order}),
        icon="box",
        as_of=signal.at,
        audience="agent",
        blocks=(
            TableBlock(
                columns=(
                    Column(T("sale.order")),
                    Column(T("sale.state")),
                    Column(T("sale.shipment")),
                    Column(T("sale.invoice")),
                ),
                rows=(row,),
            ),
        ),
        fallback=text(language, "sale.changed", order=order),
    )


def _row(sale: Sale) -> tuple[AnyValue, ...]:
    return (
        sale.shown[:60],
        _said("state", sale.state, _STATES),
        _said("shipment", sale.shipment_state or "none", _SHIPMENTS),
        _said("invoice", sale.invoice_state or "none", _INVOICES),
    )


def _said(kind: str, value: str, known: frozenset[str]) -> Value:
    """Return Tryton's word in the agent's language; one that a module added as it stands."""
    tone = _TONES.get(value)
    if value not in known:
        return Value(text=value[:60], tone=tone)
    return Value(text=T(f"{kind}.{value.replace(' ', '_')}"), tone=tone)


def _is_stuck(sale: Sale) -> bool:
    return "exception" in (sale.shipment_state, sale.invoice_state)


def _slug(value: str) -> str:
    return re.sub(r"[^a-z0-9_.:-]", "-", value.lower())
