"""Two cards: a customer's open cases, and one case that just changed."""

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
from deskhub_tickets_roundup.mapping import Case
from deskhub_tickets_roundup.texts import text

STATUS_TONE: dict[str, Tone] = {
    "open": "warning", "in_progress": "info", "waiting": "neutral", "done": "success",
}  # fmt: skip
MAX_SHOWN = 8


def open_cases_card(
    customer: str, cases: Sequence[Case], language: str, as_of: datetime
) -> Card:
    """Return the list of a customer's open cases, the latest change first."""
    ordered = sorted(cases, key=lambda case: case.updated_at, reverse=True)
    blocks: list[Block] = [ListBlock(tuple(_item(case) for case in ordered[:MAX_SHOWN]))]
    if len(ordered) > MAX_SHOWN:
        more = T("roundup.more", {"count": len(ordered) - MAX_SHOWN})
        blocks.append(TextBlock(more, muted=True))
    count = len(ordered)
    summary = text(language, "card.summary.one" if count == 1 else "card.summary", count=count)
    return Card(
        id=_id("roundup.open", customer),
        # The list is read anew each time and has no version of its own.
        rev=int(as_of.timestamp()),
        title=T("roundup.open"),
        icon="ticket",
        badge=Badge(str(count), "warning" if count else "neutral"),
        as_of=as_of,
        blocks=tuple(blocks),
        summary=summary,
        fallback=summary,
    )


def case_card(case: Case) -> Card:
    """Return the card of one case; its revision is the case's version."""
    fields = [
        Field(T("roundup.assignee"), case.assignee or "–"),
        Field(T("roundup.updated"), when(case.updated_at)),
    ]
    href = _href(case)
    go = (
        Action(id="open", label=T("roundup.go"), do=Do(open=href), style="link")
        if href
        else None
    )
    return Card(
        id=_id("roundup", case.key),
        rev=case.version,
        title=case.title[:300],
        subtitle=case.key,
        icon="ticket",
        badge=_badge(case),
        href=href,
        as_of=case.updated_at,
        blocks=(FieldsBlock(tuple(fields), 2),),
        actions=(go,) if go else (),
        summary=f"{case.key} · {case.status}"[:120],
        fallback=f"{case.key} {case.title}: {case.status}"[:500],
    )


def _item(case: Case) -> Item:
    who = (
        T("roundup.assigned", {"key": case.key, "assignee": case.assignee})
        if case.assignee
        else T("roundup.unassigned", {"key": case.key})
    )
    href = _href(case)
    return Item(
        id=case.key,
        title=case.title[:300],
        subtitle=who,
        value=when(case.updated_at),
        badge=_badge(case),
        action=Action(id="open", label=T("roundup.go"), do=Do(open=href), style="link")
        if href
        else None,
    )


def _badge(case: Case) -> Badge:
    return Badge(T(f"roundup.status.{case.kind}"), STATUS_TONE[case.kind])


def _href(case: Case) -> str | None:
    return case.url if case.url and case.url.startswith("https://") else None


def _id(kind: str, name: str) -> str:
    """Return a card id; characters an id cannot have become dashes."""
    return f"{kind}.{re.sub(r'[^a-z0-9_.:-]', '-', name.lower())}"[:128]
