"""This adapter's part of a return: a case with everything a colleague needs later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_sdk import Change, Fact, Money, Preview, Step, StepCall, step
from deskhub_tickets.mapping import Issue
from deskhub_tickets.texts import text

if TYPE_CHECKING:
    from deskhub_tickets.adapter import Tickets

_SIGN = {"CNY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}


@step(
    "order.return@1",
    provides="noted",
    needs=("refunded",),
    kind="retriable",
    dedupe="key",
    system="Tickets",
    timeout_s=10.0,
    done="A case for the return was opened.",
    not_done="No case for the return was opened.",
)
class OpenCase(Step):
    """Open one case per return; the key makes every repetition answer the same case."""

    adapter: Tickets

    async def preview(self, call: StepCall) -> Preview:
        """Return the case that would be opened and how many the customer has already."""
        language = self.adapter.ctx.language
        queue = self.adapter.config.queue
        others = await self.adapter.open_ids.load(call.subject.order.customer) or ()
        detail = "step.open.detail.one" if len(others) == 1 else "step.open.detail"
        return Preview(
            title=text(language, "step.open.title", queue=queue),
            changes=(
                Change(text(language, "step.open.case"), None, _title(call, language)),
                Change(text(language, "step.open.queue"), None, queue),
            ),
            detail=text(language, detail, count=len(others)) if others else "",
            # Another case that opens meanwhile does not change what this one says.
            fingerprint=queue,
        )

    async def run(self, call: StepCall) -> Fact:
        """Open the case under this step's key."""
        language = self.adapter.ctx.language
        customer = call.subject.order.customer
        issue = await self.adapter.client.open(
            key=call.key,
            queue=self.adapter.config.queue,
            title=_title(call, language),
            body=_body(call),
            customer=customer,
            order=call.subject.order.number,
            conversation=call.conversation,
        )
        self.adapter.open_ids.forget(customer)
        return _fact(issue, language)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the case that was opened under this step's key, if there is one."""
        issue = await self.adapter.client.by_reference(call.key)
        return _fact(issue, self.adapter.ctx.language) if issue else None


def _title(call: StepCall, language: str) -> str:
    amount = call.subject.amount
    return text(
        language, "step.open.subject", order=call.subject.order.number, amount=_shown(amount)
    )


def _body(call: StepCall) -> str:
    """Return what came back and what the other systems answered, one fact a line.

    It must be the same text for every repetition of the step: the key stands for it.
    """
    lines = [f"{line.quantity} × {line.title} ({line.sku})" for line in call.subject.lines]
    facts = [
        f"{slot}: {reference}"
        for slot, fact in sorted(call.facts.items())
        if (reference := _reference(fact))
    ]
    return "\n".join([*lines, call.subject.reason, *facts, call.run])


def _reference(fact: Fact) -> str | None:
    """Return the id of what another system did, under whatever name it calls its ids."""
    ids = (
        value
        for name, value in sorted(fact.items())
        if (name == "id" or name.endswith("_id")) and isinstance(value, str)
    )
    return next(ids, None)


def _fact(issue: Issue, language: str) -> Fact:
    return {
        "system": "tickets",
        "id": issue.key,
        "reference": issue.reference or "",
        "text": text(language, "step.open.done", key=issue.key),
    }


def _shown(amount: Money) -> str:
    sign = _SIGN.get(amount.currency)
    return f"{sign}{amount.amount}" if sign else f"{amount.amount} {amount.currency}"
