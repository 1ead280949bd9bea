"""The stock panel: what the customer bought and what of it is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from deskhub_erp.mapping import Article
from deskhub_erp.texts import text
from deskhub_sdk.cards import (
    AnyValue,
    Badge,
    Block,
    Card,
    Column,
    NoticeBlock,
    T,
    TableBlock,
    TextBlock,
    Value,
)

MAX_ROWS = 6
LOW = 5


def stock_card(
    customer: str, articles: Sequence[Article], language: str, as_of: datetime
) -> Card:
    """Return the stock of the products a customer bought, newest purchase first."""
    out = sum(article.quantity_on_hand <= 0 for article in articles)
    blocks: list[Block] = []
    if out:
        key = "erp.out.notice.one" if out == 1 else "erp.out.notice"
        blocks.append(NoticeBlock(text=T(key, {"count": out}), tone="warning"))
    # What is missing is what an agent has to know, so it comes first.
    ordered = sorted(articles, key=lambda article: article.quantity_on_hand > 0)
    blocks.append(
        TableBlock(
            columns=(
                Column(T("erp.product")),
                Column(T("erp.stock"), "end"),
                Column(T("erp.batch"), "end"),
            ),
            rows=tuple(_row(article) for article in ordered[:MAX_ROWS]),
            caption=T("erp.bought"),
        )
    )
    if len(articles) > MAX_ROWS:
        blocks.append(TextBlock(T("erp.more", {"count": len(articles) - MAX_ROWS}), muted=True))
    summary = text(language, "card.summary", count=len(articles), out=out)
    return Card(
        id=f"erp.stock.{re.sub(r'[^a-z0-9_.:-]', '-', customer.lower())}"[:128],
        # The list is read anew each time and has no version of its own.
        rev=int(as_of.timestamp()),
        title=T("erp.title"),
        icon="box",
        badge=Badge(T("erp.out"), "warning") if out else None,
        as_of=as_of,
        blocks=tuple(blocks),
        fallback=summary,
    )


def _row(article: Article) -> tuple[AnyValue, ...]:
    stock: AnyValue = article.quantity_on_hand
    if article.quantity_on_hand <= 0:
        stock = Value(text=T("erp.out"), tone="danger")
    elif article.quantity_on_hand <= LOW:
        stock = Value(text=str(article.quantity_on_hand), tone="warning")
    return (article.name[:120], stock, article.lot or "–")
