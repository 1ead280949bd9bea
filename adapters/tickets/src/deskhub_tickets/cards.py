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
from deskhub_tickets.mapping import Issue
from deskhub_tickets.texts import text

STATUS_TONE: dict[str, Tone] = {
    "open": "warning", "in_progress": "info", "waiting": "neutral", "done": "success",
}  # fmt: skip
MAX_SHOWN = 8


def open_cases_card(
    customer: str, issues: Sequence[Issue], language: str, as_of: datetime
) -> Card:
    """Return the list of a customer's open cases, the latest change first."""
    ordered = sorted(issues, key=lambda issue: issue.updated_at, reverse=True)
    blocks: list[Block] = [ListBlock(tuple(_item(issue) for issue in ordered[:MAX_SHOWN]))]
    if len(ordered) > MAX_SHOWN:
        more = T("tickets.more", {"count": len(ordered) - MAX_SHOWN})
        blocks.append(TextBlock(more, muted=True))
    count = len(ordered)
    summary = text(language, "card.summary.one" if count == 1 else "card.summary", count=count)
    return Card(
        id=_id("tickets.open", customer),
        # The list is read anew each time and has no version of its own.
        rev=int(as_of.timestamp()),
        title=T("tickets.open"),
        icon="ticket",
        badge=Badge(str(count), "warning" if count else "neutral"),
        as_of=as_of,
        blocks=tuple(blocks),
        summary=summary,
        fallback=summary,
    )


def case_card(issue: Issue) -> Card:
    """Return the card of one case; its revision is the case's version."""
    fields = [
        Field(T("tickets.assignee"), issue.assignee or "–"),
        Field(T("tickets.updated"), when(issue.updated_at)),
    ]
    href = _href(issue)
    go = (
        Action(id="open", label=T("tickets.go"), do=Do(open=href), style="link")
        if href
        else None
    )
    return Card(
        id=_id("tickets", issue.key),
        rev=issue.version,
        title=issue.title[:300],
        subtitle=issue.key,
        icon="ticket",
        badge=_badge(issue),
        href=href,
        as_of=issue.updated_at,
        blocks=(FieldsBlock(tuple(fields), 2),),
        actions=(go,) if go else (),
        summary=f"{issue.key} · {issue.status}"[:120],
        fallback=f"{issue.key} {issue.title}: {issue.status}"[:500],
    )


def _item(issue: Issue) -> Item:
    who = (
        T("tickets.assigned", {"key": issue.key, "assignee": issue.assignee})
        if issue.assignee
        else T("tickets.unassigned", {"key": issue.key})
    )
    href = _href(issue)
    return Item(
        id=issue.key,
        title=issue.title[:300],
        subtitle=who,
        value=when(issue.updated_at),
        badge=_badge(issue),
        action=Action(id="open", label=T("tickets.go"), do=Do(open=href), style="link")
        if href
        else None,
    )


def _badge(issue: Issue) -> Badge:
    return Badge(T(f"tickets.status.{issue.status}"), STATUS_TONE[issue.status])


def _href(issue: Issue) -> str | None:
    return issue.url if issue.url and issue.url.startswith("https://") else None


def _id(kind: str, name: str) -> str:
    """Return a card id; characters an id cannot have become dashes."""
    return f"{kind}.{re.sub(r'[^a-z0-9_.:-]', '-', name.lower())}"[:128]
