"""Hands a run over: a case for colleagues with what is done, what is left, and why."""

from __future__ import annotations

import logging

from deskhub.actions.confirm import Confirmations
from deskhub.actions.forms import MAX_NOTE
from deskhub.actions.kinds.escalating import MAX_SUMMARY
from deskhub.actions.moves import unsettled
from deskhub.actions.plan import Previews
from deskhub.actions.ports import Setting
from deskhub.actions.registry import Registry
from deskhub.actions.subject import talk_object
from deskhub.actions.words import run_sentence, run_title, truths
from deskhub.errors import HubError
from deskhub.identity.model import Principal
from deskhub.store.runs import RunRow, StepRow

ESCALATE = "ticket.escalate@1"

log = logging.getLogger("deskhub.actions")


class Handing:
    """Opens the case through the same gate as a person would: a plan, its digest, one run."""

    def __init__(
        self, types: Registry, previews: Previews, confirmations: Confirmations
    ) -> None:
        """Plan with *previews*, start with *confirmations*."""
        self._types = types
        self._previews = previews
        self._confirmations = confirmations

    async def open_case(
        self, principal: Principal, setting: Setting, run: RunRow, reason: str
    ) -> str | None:
        """Start an escalation about *run* in the name of *principal*; return its run.

        None where no enabled system opens cases, or one for this conversation is under way:
        the note in the conversation stands by itself.
        """
        kind = self._types.get(ESCALATE, principal.tenant)
        form = {
            # Not the order: the shop may be what fails, and the order is held by this run.
            "object": talk_object(setting.id),
            "summary": self._summary(run),
            "reason": "urgent",
            "note": evidence(principal, run, reason),
        }
        try:
            checked = await self._previews.check(principal, kind, setting, form)
            if not checked.is_eligible:
                return None
            plan = await self._confirmations.keep(principal, kind, setting, checked)
            return await self._confirmations.confirm(
                principal, kind, setting, plan, plan.digest
            )
        except HubError as error:
            log.warning("no_case_opened", extra={"run": run.id, "code": error.code})
            return None

    def _summary(self, run: RunRow) -> str:
        kind = self._types.past(run.type, run.tenant)
        text = f"{run_title(kind, run)}: {run_sentence(kind, run)}"
        return text if len(text) <= MAX_SUMMARY else f"{text[: MAX_SUMMARY - 1]}\u2026"


def evidence(principal: Principal, run: RunRow, reason: str) -> str:
    """Return what colleagues need: who and why, each system's truth, the last answers."""
    state = truths(run)
    lines = [
        f"Handed over by {principal.name or principal.id}: {reason}",
        *[f"\u2713 {text}" for text in state["done"]],
        *[f"\u2715 {text}" for text in state["not_done"]],
        *[f"? {text}" for text in state["unknown"]],
        *[line for step in unsettled(run) for line in _last_answer(step)],
    ]
    text = "\n".join(lines)
    return text if len(text) <= MAX_NOTE else f"{text[: MAX_NOTE - 1]}\u2026"


def _last_answer(step: StepRow) -> list[str]:
    """Return the last answer about *step*, and the key its system knows it by."""
    if not step.attempts:
        return []
    last = step.attempts[-1]
    return [f"{step.instance} {step.key}: {last.code} {last.text}".rstrip()]
