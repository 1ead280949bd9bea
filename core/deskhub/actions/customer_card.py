"""What the customer sees of a run: one card in their language, never a system's name."""

from __future__ import annotations

from collections.abc import Mapping

from deskhub.actions.calls import facts_of, subject_of
from deskhub.actions.moves import is_past_pivot
from deskhub.actions.policy import MONEY
from deskhub.actions.types import CardText
from deskhub.store.runs import LIVE, RunRow
from deskhub_sdk.cards import (
    Badge,
    Block,
    Card,
    Field,
    FieldsBlock,
    Moment,
    TextBlock,
    TimelineBlock,
    Tone,
    copyable,
    encode_card,
    link,
    money,
)
from deskhub_sdk.steps import Fact

_TONES: Mapping[str, Tone] = {
    "setting_up": "info",
    "booked": "success",
    "refunded": "success",
    "left": "info",
    "stopped": "neutral",
    "waiting": "info",
}


def customer_card(card: CardText, run: RunRow) -> bytes:
    """Return the card of *run* as JSON, in *card*'s words; its ``rev`` is the run's."""
    is_chinese = run.language.lower().startswith("zh")
    words = card.words["zh" if is_chinese else "en"]
    subject = subject_of(run)
    heading = _heading(run)
    joint = "、" if is_chinese else ", "
    titles = joint.join(f"{line.title} × {line.quantity}" for line in subject.lines)
    fields = [Field(words["articles"], titles[:2000])] if titles else []
    if subject.instead:
        sent = joint.join(f"{line.title} × {line.quantity}" for line in subject.instead)
        fields.append(Field(words["instead"], sent[:2000]))
    if subject.amount.minor:
        fields.append(Field(words["amount"], money(subject.amount)))
    label = label_of(facts_of(run))
    if label is not None:
        shown = link(label, words["open_label"]) if _is_link(label) else copyable(label[:200])
        fields.append(Field(words["return_label"], shown))
    blocks: tuple[Block, ...] = (
        TextBlock(words[f"{heading}_text"]),
        TimelineBlock(_moments(card, run, words, heading)),
        FieldsBlock(tuple(fields)),
    )
    title = words["title"].format(order=f"#{subject.order.number}")
    return encode_card(
        Card(
            id=f"run:{run.id}",
            rev=run.rev,
            title=title,
            icon=card.icon,
            badge=Badge(words[heading], _TONES[heading]),
            audience="customer",
            blocks=blocks,
            fallback=f"{title}: {words[heading]}",
            summary=words[heading][:120],
        )
    )


def label_of(facts: Mapping[str, Fact]) -> str | None:
    """Return the return label (an address or a code) among what done steps provided."""
    value = facts.get("restocked", {}).get("label")
    return value if isinstance(value, str) and value else None


def _heading(run: RunRow) -> str:
    is_refunded = is_past_pivot(run) and subject_of(run).amount.minor > 0
    if run.state == "completed":
        return "refunded" if is_refunded else "booked"
    if run.state == "attention":
        return "left"
    if run.state == "compensated":
        return "stopped"
    if run.state in LIVE and is_refunded:
        return "refunded"
    if run.state == "waiting":
        return "refunded" if is_refunded else "waiting"
    return "setting_up"


def _moments(
    card: CardText, run: RunRow, words: Mapping[str, str], heading: str
) -> tuple[Moment, ...]:
    """Return what is done and ahead for the customer; only what this run has steps for."""
    moments = []
    reached = True
    for word, slot in card.moments:
        step = next((s for s in run.steps if s.spec["provides"] == slot), None)
        if step is None or (slot == MONEY and not subject_of(run).amount.minor):
            continue
        if step.state == "done":
            moments.append(Moment(text=words[word], state="done", time=step.ended_at))
        elif heading == "stopped":
            moments.append(Moment(text=words[word], state="skipped"))
        else:
            moments.append(Moment(text=words[word], state="current" if reached else "todo"))
            reached = False
    return tuple(moments)


def _is_link(label: str) -> bool:
    return label.startswith("https://")
