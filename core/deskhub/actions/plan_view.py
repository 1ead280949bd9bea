"""A stored plan as agents' clients read it."""

from __future__ import annotations

from typing import Any

import msgspec

from deskhub.actions.types import ActionType
from deskhub.actions.words import money_text
from deskhub.clock import rfc3339
from deskhub.store.plans import PlanRow
from deskhub_sdk.records import Money
from deskhub_sdk.steps import NO_MONEY


def plan_view(
    kind: ActionType, plan: PlanRow, approval: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the PlanView of *plan*; *approval* says what a second person has to do with it."""
    document = plan.document
    amount = msgspec.convert(document["subject"]["amount"], Money)
    order = document["subject"]["order"]
    number = None if order is None else order["number"]
    refusals = [s["shown"]["refusal"] for s in document["steps"] if s["shown"]["refusal"]]
    pivots = any(step["spec"]["kind"] == "pivot" for step in document["steps"])
    moves_money = pivots and amount.minor > 0
    return {
        "id": plan.id,
        "type": plan.type,
        "title": kind.label_for(number),
        "conversation": plan.conversation,
        "object": plan.object,
        "input": document["input"],
        "eligible": {"ok": not refusals, "reasons": refusals or _why_yes(document["steps"])},
        "amount": amount_view(amount),
        "steps": [_step_view(step) for step in document["steps"]],
        "dropped": document["dropped"],
        "approval": approval,
        "digest": plan.digest,
        "expires_at": rfc3339(plan.expires_at),
        "checked_ms": document["checked_ms"],
        "confirm_label": f"{kind.verb} {money_text(amount)}" if moves_money else kind.plain,
    }


def amount_view(amount: Money) -> dict[str, str] | None:
    """Return *amount* as clients read it; None where no money is involved."""
    if amount.currency == NO_MONEY.currency:
        return None
    return {"money": amount.amount, "currency": amount.currency}


def _why_yes(steps: list[dict[str, Any]]) -> list[str]:
    """Return what those who decide first say about it ("Day 5 of 7 after delivery")."""
    details = [step["shown"]["detail"] for step in steps if step["wave"] == 0]
    return [detail for detail in details if detail] or ["Every system agrees."]


def _step_view(step: dict[str, Any]) -> dict[str, Any]:
    spec, shown = step["spec"], step["shown"]
    return {
        "id": step["id"],
        "instance": step["instance"],
        "system": spec["system"],
        "title": shown["title"],
        "detail": shown["detail"],
        "changes": shown["changes"],
        "kind": spec["kind"],
        "reversible": spec["kind"] == "compensable",
        "wave": step["wave"],
        "provides": spec["provides"],
        "refusal": shown["refusal"],
    }
