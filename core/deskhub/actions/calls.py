"""From a journal's row to what an adapter's step is called with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from deskhub.actions.ports import StepRef
from deskhub.identity.model import Principal
from deskhub.store.runs import RunRow, StepRow
from deskhub_sdk import records
from deskhub_sdk.steps import Fact, StepCall, StepSpec, Subject


def key_for(run: str, step: str) -> str:
    """Return the key of a step: a function of run and step alone, for ever the same."""
    return f"dh_{run}_{step}"


def spec_of(step: StepRow) -> StepSpec:
    """Return what the step declared when the run was planned."""
    return msgspec.convert(step.spec, StepSpec)


def ref_of(run: RunRow, step: StepRow) -> StepRef:
    """Return which adapter's step a journal row means."""
    return StepRef(step.instance, run.type, spec_of(step))


def subject_of(run: RunRow) -> Subject:
    """Return what the run is about."""
    return msgspec.convert(run.subject, Subject)


def call_for(run: RunRow, step: StepRow) -> StepCall:
    """Return the call of *step*; the same for every repetition."""
    customer = run.customer
    return StepCall(
        action=run.type,
        run=run.id,
        key=step.key,
        subject=subject_of(run),
        facts=facts_of(run, before_wave=step.wave),
        customer=None if customer is None else msgspec.convert(customer, records.Customer),
        actor=seen_by_adapters(run.actor),
        conversation=run.conversation,
    )


def facts_of(run: RunRow, *, before_wave: int | None = None) -> Mapping[str, Fact]:
    """Return what done steps provided, by slot; of several providers the first one's.

    *before_wave* leaves out the step's own wave: what neighbours have by then depends on
    luck, and a repetition under the same key has to be the same request.
    """
    facts: dict[str, Fact] = {}
    for step in run.steps:
        early = before_wave is None or step.wave < before_wave
        if early and step.state == "done" and step.fact is not None:
            facts.setdefault(str(step.spec["provides"]), step.fact)
    return facts


def seen_by_adapters(actor: Mapping[str, Any]) -> records.Principal:
    """Return the journalled *actor* as adapters may see them."""
    return records.Principal(
        id=actor["id"], kind=actor["kind"], role=actor.get("role"), name=actor.get("name")
    )


def journalled(principal: Principal) -> dict[str, Any]:
    """Return *principal* as a run keeps it."""
    return {
        "id": principal.id,
        "kind": principal.kind,
        "role": principal.role,
        "name": principal.name,
    }


def plain(value: object) -> Any:  # noqa: ANN401  JSON is any of its types
    """Return a record as JSON's own types."""
    return msgspec.to_builtins(value)


def one_line(fact: Fact) -> str:
    """Return a fact as one short line: its ``text``, or its plain values."""
    text = fact.get("text") or fact.get("summary")
    if isinstance(text, str):
        return text[:160]
    flat = [f"{k}: {v}" for k, v in fact.items() if isinstance(v, str | int | float)]
    return " · ".join(flat)[:160]
