"""Two cards: a customer's open tickets, and one ticket that just changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

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
    T,
    TextBlock,
    Tone,
    when,
)
from deskhub_tickets_zammad.mapping import Case, link
from deskhub_tickets_zammad.texts import text

TONE: dict[str, Tone] = {
    "open": "warning", "in_progress": "info", "waiting": "neutral", "done": "success",
}  # fmt: skip
MAX_SHOWN = 8


def open_card(cases: Sequence[Case], base_url: str, language: str, as_of: datetime) -> Card:
    """Return the list of a customer's open tickets, the latest change first; not empty."""
    ordered = sorted(cases, key=lambda case: case.updated_at, reverse=True)
    rows = tuple(_row(case, base_url) for case in ordered[:MAX_SHOWN])
    blocks: list[Block] = [ListBlock(rows)]
    if len(ordered) > MAX_SHOWN:
        more = T("zammad.more", {"count": len(ordered) - MAX_SHOWN})
        blocks.append(TextBlock(more, muted=True))
    count = len(ordered)
    said = text(language, "zammad.count.one" if count == 1 else "zammad.count", count=count)
    whose = re.sub(r"[^a-z0-9_.:-]", "-", ordered[0].customer.lower())
    return Card(
        id=f"zammad.open.{whose}"[:128],
        # The list is read anew each time and has no version of its own.
        rev=int(as_of.timestamp()),
        title=T("zammad.open"),
        icon="ticket",
        badge=Badge(str(count), "warning"),
        as_of=as_of,
        blocks=tuple(blocks),
        summary=said,
        fallback=said,
    )


def changed_card(case: Case, base_url: str, language: str) -> Card:
    """Return one ticket for agents; its revision is the moment of its last change."""
    fields = (
        Field(T("zammad.number"), f"#{case.number}"),
        Field(T("zammad.owner"), case.assignee or "–"),
        Field(T("zammad.state"), case.state[:100]),
        Field(T("zammad.changed"), when(case.updated_at)),
    )
    go = _go(case, base_url)
    said = f"#{case.number} · {text(language, f'zammad.status.{case.status}')}"
    return Card(
        id=f"zammad.ticket:{case.id}",
        rev=case.version,
        title=case.title[:300],
        icon="ticket",
        badge=_badge(case),
        href=link(case, base_url),
        as_of=case.updated_at,
        audience="agent",
        blocks=(FieldsBlock(fields, 2),),
        actions=(go,) if go else (),
        summary=said[:120],
        fallback=f"{said} {case.title}"[:500],
    )


def _row(case: Case, base_url: str) -> Item:
    who = (
        T("zammad.owned", {"number": case.number, "owner": case.assignee})
        if case.assignee
        else T("zammad.unowned", {"number": case.number})
    )
    return Item(
        id=str(case.id),
        title=case.title[:300],
        subtitle=who,
        value=when(case.updated_at),
        badge=_badge(case),
        action=_go(case, base_url),
    )


def _go(case: Case, base_url: str) -> Action | None:
    href = link(case, base_url)
    if href is None:
        return None
    return Action(id="open", label=T("zammad.go"), do=Do(open=href), style="link")


def _badge(case: Case) -> Badge:
    return Badge(T(f"zammad.status.{case.status}"), TONE[case.status])
