"""This adapter's part of actions: one ticket for a return, one for an escalation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deskhub_sdk import (
    Change,
    Fact,
    NotSent,
    Preview,
    Refusal,
    Rejected,
    Step,
    StepCall,
    Throttled,
    Unavailable,
    step,
)
from deskhub_tickets_zammad.mapping import Case
from deskhub_tickets_zammad.texts import text

if TYPE_CHECKING:
    from deskhub_tickets_zammad.adapter import TicketsZammad

SYSTEM = "Zammad"
TIMEOUT_S = 20.0


class Opening(Step):
    """Opens a ticket, unless one was opened under this step's key."""

    adapter: TicketsZammad

    async def run(self, call: StepCall) -> Fact:
        """Open the ticket. Raises `Rejected` when nobody is known to open it for."""
        customer = _customer(call)
        if customer is None:
            raise Rejected("a ticket needs a customer with an e-mail address or a number")
        try:
            done = await self.adapter.client.by_key(call.key)
        except (Unavailable, Throttled) as error:
            # Nothing has left yet, so nothing can be in doubt.
            raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        case = done or await self.adapter.client.open(
            key=call.key,
            group=self.group(),
            title=self.title(call),
            body=self.body(call),
            customer=customer,
            conversation=call.conversation,
            tags=self.tags(call),
        )
        self.adapter.forget(case)
        return self.fact(case)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the ticket that was opened under this step's key, if there is one."""
        case = await self.adapter.client.by_key(call.key)
        return self.fact(case) if case is not None else None

    def group(self) -> str:
        """Return the group that the ticket is opened in."""
        return self.adapter.config.group

    def title(self, call: StepCall) -> str:
        """Return the ticket's title."""
        amount = call.subject.amount
        return self.say(
            "step.return", order=call.subject.order.number,
            amount=f"{amount.amount} {amount.currency}",
        )  # fmt: skip

    def body(self, call: StepCall) -> str:
        """Return what came back and what the other systems answered, one fact a line."""
        lines = [f"{one.quantity} × {one.title} ({one.sku})" for one in call.subject.lines]
        facts = [
            f"{slot}: {fact['id']}"
            for slot, fact in sorted(call.facts.items())
            if isinstance(fact.get("id"), str)
        ]
        return "\n".join([*lines, call.subject.reason, *facts, call.run])

    def tags(self, call: StepCall) -> Sequence[str]:
        """Return what the ticket is tagged with, beside its key."""
        del call
        return ("return",)

    def say(self, key: str, **values: object) -> str:
        """Return a sentence in the hub's language."""
        return text(self.adapter.ctx.language, key, **values)

    def fact(self, case: Case) -> Fact:
        """Return the fact of the opened ticket."""
        return {
            "system": SYSTEM, "id": case.number, "ticket": str(case.id),
            "text": self.say("step.opened", number=case.number),
        }  # fmt: skip

    def planned(self, call: StepCall, detail: str = "") -> Preview | Refusal:
        """Return the ticket that would be opened."""
        if _customer(call) is None:
            return Refusal("no_customer", "The customer has no e-mail address and no number.")
        group = self.group()
        return Preview(
            title=self.say("step.title", group=group),
            changes=(
                Change(self.say("step.ticket"), None, self.title(call)),
                Change(self.say("step.group"), None, group),
            ),
            detail=detail,
            # Another ticket that opens meanwhile does not change what this one says.
            fingerprint=group,
        )


@step(
    "order.return@1", provides="noted", needs=("refunded",), kind="retriable",
    dedupe="lookup", system=SYSTEM, timeout_s=TIMEOUT_S,
    done="A ticket for the return was opened.",
    not_done="No ticket for the return was opened.",
)  # fmt: skip
class OpenCase(Opening):
    """Open one ticket for each return."""

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return the ticket and how many the customer has already."""
        ids = await self.adapter.open_ids.load(call.subject.order.customer) or ()
        key = "step.others.one" if len(ids) == 1 else "step.others"
        return self.planned(call, self.say(key, count=len(ids)) if ids else "")


@step(
    "ticket.escalate@1", provides="escalated", kind="compensable", dedupe="lookup",
    system=SYSTEM, timeout_s=TIMEOUT_S, done="A ticket is open.", not_done="No ticket is open.",
)  # fmt: skip
class Escalate(Opening):
    """Open one ticket for a conversation; undoing closes it and says why."""

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return the ticket that would be opened."""
        return self.planned(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the ticket under this step's key, unless it is closed."""
        case = await self.adapter.client.by_key(call.key)
        return self.fact(case) if case is not None and case.status != "done" else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Close the ticket; a closed one stays closed."""
        del fact
        case = await self.adapter.client.by_key(call.key)
        if case is not None and case.status != "done":
            await self.adapter.client.close(str(case.id), self.say("step.taken_back"))
            self.adapter.forget(case)

    def group(self) -> str:
        """Return the group for escalations."""
        return self.adapter.config.escalations

    def title(self, call: StepCall) -> str:
        """Return what the agent said in one line."""
        return call.subject.summary

    def body(self, call: StepCall) -> str:
        """Return what a colleague has to know."""
        subject = call.subject
        return "\n".join(filter(None, (subject.note, subject.transcript, call.run)))

    def tags(self, call: StepCall) -> Sequence[str]:
        """Return why it was escalated."""
        return ("escalation", call.subject.reason)


def _customer(call: StepCall) -> str | None:
    """Return whom the ticket is for, as Zammad takes it: by address, else by login."""
    if call.customer is not None and call.customer.email:
        return f"guess:{call.customer.email}"
    if call.subject.about is not None and call.subject.about.customer:
        return call.subject.about.customer
    return call.customer.subject if call.customer is not None else None
