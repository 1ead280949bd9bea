"""Runs, offers and the audit trail as agents' clients read them."""

from __future__ import annotations

from typing import Any

from deskhub.actions.calls import spec_of, subject_of
from deskhub.actions.choices import choices
from deskhub.actions.plan_view import amount_view
from deskhub.actions.types import ActionType
from deskhub.actions.words import money_text, run_sentence, run_title, truths
from deskhub.clock import rfc3339
from deskhub.store.audit import AuditRow
from deskhub.store.runs import AttemptRow, RunRow, StepRow
from deskhub_sdk.records import Order

JsonObject = dict[str, Any]


def run_view(kind: ActionType, run: RunRow) -> JsonObject:
    """Return the RunView of *run*."""
    amount = subject_of(run).amount
    return {
        "id": run.id,
        "type": run.type,
        "title": run_title(kind, run),
        "conversation": run.conversation,
        "object": run.object,
        "state": run.state,
        "sentence": run_sentence(kind, run),
        "amount": amount_view(amount),
        "started_by": {"id": run.actor["id"], "name": run.actor.get("name") or ""},
        "approved_by": _approver(run),
        "started_at": rfc3339(run.started_at),
        "ended_at": None if run.ended_at is None else rfc3339(run.ended_at),
        "steps": [_step_view(step) for step in run.steps],
        "truths": truths(run),
        "choices": [
            {
                "do": choice.do,
                "label": choice.label,
                "suggested": choice.suggested,
                "needs_reason": choice.needs_reason,
            }
            for choice in choices(run)
        ],
        "rev": run.rev,
    }


def _approver(run: RunRow) -> JsonObject | None:
    if run.approver is None:
        return None
    return {"id": run.approver["id"], "name": run.approver.get("name") or ""}


def _step_view(step: StepRow) -> JsonObject:
    spec = spec_of(step)
    return {
        "id": step.id,
        "instance": step.instance,
        "system": spec.system,
        "title": step.shown["title"],
        "kind": spec.kind,
        "wave": step.wave,
        "provides": spec.provides,
        "state": step.state,
        "attempts": [_attempt_view(attempt, step.key) for attempt in step.attempts],
        "result": step.result,
        "started_at": None if step.started_at is None else rfc3339(step.started_at),
        "ended_at": None if step.ended_at is None else rfc3339(step.ended_at),
    }


def _attempt_view(attempt: AttemptRow, key: str) -> JsonObject:
    """Return one call; *key* is the name under which the far side knows the request."""
    return {
        "what": attempt.what,
        "at": rfc3339(attempt.at),
        "ms": round(attempt.ms, 1),
        "ok": attempt.ok,
        "code": attempt.code,
        "text": attempt.text,
        "key": "" if attempt.what == "person" else key,
    }


def audit_view(row: AuditRow) -> JsonObject:
    """Return one row of the audit trail."""
    return {
        "seq": row.seq,
        "id": row.id,
        "at": rfc3339(row.at),
        "actor": row.actor,
        "what": row.what,
        "object": row.object,
        "data": row.data,
        "hash": row.hash,
    }


def before_view(kind: ActionType, run: RunRow) -> JsonObject:
    """Return an earlier refund, for whoever decides about another one."""
    return {
        "text": f"{run_title(kind, run)}: {money_text(subject_of(run).amount)} refunded",
        "at": rfc3339(run.started_at),
        "object": run.object,
        "run": run.id,
    }


def offer_view(
    kind: ActionType,
    object_: str,
    order: Order | None,
    missing: str | None,
    active: tuple[str, str] | None,
) -> JsonObject:
    """Return one entry of what can be done here."""
    reason = missing
    if reason is None and active is not None:
        what = "this order" if order is not None else "this conversation"
        reason = f"{kind.noun.capitalize()} of {what} is under way."
    if reason is None:
        reason = kind.form.blocked(order)
    return {
        "type": kind.id,
        "title": kind.title,
        "object": object_,
        "label": kind.label_for(None if order is None else order.number),
        "enabled": reason is None,
        "reason": reason,
        "running": None if active is None else active[0],
    }
