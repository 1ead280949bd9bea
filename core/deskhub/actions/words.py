"""The sentences about a run: what the customer has, what is true in each system."""

from __future__ import annotations

from deskhub.actions.calls import spec_of, subject_of
from deskhub.actions.moves import is_past_pivot, unsettled
from deskhub.actions.types import ActionType
from deskhub.store.runs import RunRow, StepRow
from deskhub_sdk.records import Money

_SIGNS = {"CNY": "¥", "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


def money_text(amount: Money) -> str:
    """Return *amount* for a label: ``¥399.00``, or ``399.00 CHF`` without a common sign."""
    value = f"{amount.minor / 10**amount.exponent:,.{amount.exponent}f}"
    sign = _SIGNS.get(amount.currency)
    return f"{sign}{value}" if sign else f"{value} {amount.currency}"


def run_title(kind: ActionType, run: RunRow) -> str:
    """Return the name people use for a run: ``Return R-77``."""
    return f"{kind.title} {kind.prefix}-{run.number}"


def run_sentence(kind: ActionType, run: RunRow) -> str:
    """Return what the customer has or has not received, then why the run stands as it does."""
    customer = received(kind, run)
    noun = kind.noun
    if run.state == "completed":
        return customer
    if run.state == "compensated":
        why = f" {run.cause}" if run.cause else ""
        return f"{customer} Everything that was set up has been taken back.{why}"
    if run.state == "compensating":
        return f"{customer} What was set up for the {noun} is being taken back."
    if run.state == "waiting":
        awaited = " ".join(s.result for s in run.steps if s.state == "waiting" and s.result)
        return f"{customer} {awaited or 'Something elsewhere has to happen first'}.".strip()
    if run.state == "attention":
        return " ".join([customer, *_stuck(kind, run)])
    if is_past_pivot(run):
        left = sum(step.state != "done" for step in run.steps)
        return f"{customer} {left} {'step is' if left == 1 else 'steps are'} left."
    if any(s.spec["provides"] == kind.received.slot and s.state == "intent" for s in run.steps):
        return kind.received.doing.format(amount=money_text(subject_of(run).amount))
    return f"{customer[:-1]} yet. The {noun} is being set up."


def received(kind: ActionType, run: RunRow) -> str:
    """Return the first sentence of every run: what the customer has or has not received."""
    amount = money_text(subject_of(run).amount)
    deciding = [s for s in run.steps if s.spec["provides"] == kind.received.slot]
    states = {step.state for step in deciding}
    if states & {"unknown", "undo_failed"} or (run.state == "attention" and "intent" in states):
        return kind.received.unknown.format(amount=amount)
    if deciding and states == {"done"} and not subject_of(run).amount.minor:
        return kind.received.for_nothing or kind.received.done.format(amount=amount)
    if deciding and states == {"done"}:
        return kind.received.done.format(amount=amount)
    return kind.received.not_done.format(amount=amount)


def truths(run: RunRow) -> dict[str, list[str]]:
    """Return what is true in each system, what is not, and what nobody knows yet."""
    found: dict[str, list[str]] = {"done": [], "not_done": [], "unknown": []}
    for step in run.steps:
        found[_truth(step)].append(truth_text(step))
    return found


def truth_text(step: StepRow) -> str:
    """Return one system's part as a sentence, by the step's state."""
    spec = spec_of(step)
    title = str(step.shown["title"])
    truth = _truth(step)
    if truth == "done":
        return spec.done or f"{spec.system}: {title}: done."
    if truth == "not_done":
        return spec.not_done or f"{spec.system}: {title}: not done."
    if step.state == "undo_failed":
        return f"{spec.system}: it is not known whether this was taken back: {title}."
    return f"{spec.system}: it is not known whether this was done: {title}."


def _truth(step: StepRow) -> str:
    if step.state == "done":
        return "done"
    if step.state in ("intent", "unknown", "undo_intent", "undo_failed"):
        return "unknown"
    return "not_done"


def _stuck(kind: ActionType, run: RunRow) -> list[str]:
    """Return what stopped the run, without saying the customer's sentence again."""
    return [
        truth_text(step)
        for step in unsettled(run)
        if step.spec["provides"] != kind.received.slot or step.state == "undo_failed"
    ]
