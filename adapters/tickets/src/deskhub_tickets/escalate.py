"""This adapter's part of an escalation: a case that says what a colleague has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_sdk import Change, Fact, Preview, Step, StepCall, step
from deskhub_tickets.mapping import Issue
from deskhub_tickets.texts import text

if TYPE_CHECKING:
    from deskhub_tickets.adapter import Tickets


@step(
    "ticket.escalate@1",
    provides="escalated",
    kind="compensable",
    dedupe="key",
    system="Tickets",
    timeout_s=10.0,
    done="A case is open.",
    not_done="No case is open.",
)
class Escalate(Step):
    """Open one case for a conversation; undoing closes it with the reason in a comment."""

    adapter: Tickets

    async def preview(self, call: StepCall) -> Preview:
        """Return the case that would be opened."""
        language, queue = self.adapter.ctx.language, self.adapter.config.escalations
        return Preview(
            title=text(language, "step.open.title", queue=queue),
            changes=(
                Change(text(language, "step.open.case"), None, call.subject.summary),
                Change(text(language, "step.open.queue"), None, queue),
            ),
            fingerprint=queue,
        )

    async def run(self, call: StepCall) -> Fact:
        """Open the case under this step's key."""
        subject, customer = call.subject, _customer(call)
        issue = await self.adapter.client.open(
            key=call.key,
            queue=self.adapter.config.escalations,
            title=subject.summary,
            body="\n".join(filter(None, (subject.note, subject.transcript, call.run))),
            customer=customer,
            order=None if subject.about is None else subject.about.number,
            conversation=call.conversation,
            labels=("escalation", subject.reason),
        )
        if customer is not None:
            self.adapter.open_ids.forget(customer)
        return self._fact(issue)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the case that was opened under this step's key, unless it is closed."""
        issue = await self.adapter.client.by_reference(call.key)
        return self._fact(issue) if issue and issue.status != "done" else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Close the case; a closed one stays closed."""
        del fact
        issue = await self.adapter.client.by_reference(call.key)
        if issue is not None and issue.status != "done":
            await self.adapter.client.close(issue.id)

    def _fact(self, issue: Issue) -> Fact:
        return {
            "system": "tickets",
            "id": issue.key,
            "text": text(self.adapter.ctx.language, "step.open.done", key=issue.key),
        }


def _customer(call: StepCall) -> str | None:
    if call.subject.about is not None:
        return call.subject.about.customer
    return call.customer.subject if call.customer is not None else None
