"""Roundup's parts of actions: a case for a return, and a case for an escalation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_sdk import Change, Fact, Money, Preview, Step, StepCall, step
from deskhub_tickets_roundup.texts import text

if TYPE_CHECKING:
    from deskhub_tickets_roundup.adapter import TicketsRoundup

_SIGN = {"CNY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}


class _Opening(Step):
    """What both parts share: the case under a key, with the customer's keyword."""

    adapter: TicketsRoundup

    async def _open(
        self, call: StepCall, title: str, body: str, keyword: str, priority: str
    ) -> Fact:
        adapter, customer = self.adapter, _customer(call)
        marks = [] if customer is None else [adapter.config.customer_prefix + customer]
        opened = await adapter.client.open(
            key=call.key, title=title, body=body, keywords=[keyword, *marks], priority=priority
        )
        if customer is not None:
            adapter.open_ids.forget(customer)
        return self._fact(opened, call.key)

    def _preview(self, title: str, keyword: str, detail: str = "") -> Preview:
        language = self.adapter.ctx.language
        return Preview(
            title=text(language, "step.open.title"),
            changes=(
                Change(text(language, "step.open.case"), None, title),
                Change(text(language, "step.open.keyword"), None, keyword),
            ),
            detail=detail,
            # Another case that opens meanwhile does not change what this one says.
            fingerprint=keyword,
        )

    def _fact(self, case: str, key: str) -> Fact:
        shown = f"issue{case}"
        return {
            "system": "roundup", "id": shown, "reference": key,
            "text": text(self.adapter.ctx.language, "step.open.done", key=shown),
        }  # fmt: skip


@step(
    "order.return@1",
    provides="noted",
    needs=("refunded",),
    kind="retriable",
    dedupe="key",
    system="Roundup",
    timeout_s=20.0,
    done="A case for the return was opened.",
    not_done="No case for the return was opened.",
)
class OpenCase(_Opening):
    """Open one case for each return; a repetition finds it under the key."""

    async def preview(self, call: StepCall) -> Preview:
        """Return the case that would be opened and how many the customer has already."""
        language = self.adapter.ctx.language
        others = await self.adapter.open_ids.load(call.subject.order.customer) or ()
        detail = "step.open.detail.one" if len(others) == 1 else "step.open.detail"
        return self._preview(
            _title(call, language),
            self.adapter.config.return_keyword,
            text(language, detail, count=len(others)) if others else "",
        )

    async def run(self, call: StepCall) -> Fact:
        """Open the case under this step's key."""
        config = self.adapter.config
        title = _title(call, self.adapter.ctx.language)
        return await self._open(
            call, title, _body(call), config.return_keyword, config.priority
        )

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the case that was opened under this step's key, if there is one."""
        case = await self.adapter.client.by_reference(call.key)
        return self._fact(case.id, call.key) if case else None


@step(
    "ticket.escalate@1",
    provides="escalated",
    kind="compensable",
    dedupe="key",
    system="Roundup",
    timeout_s=20.0,
    done="A case is open.",
    not_done="No case is open.",
)
class Escalate(_Opening):
    """Open one case for a conversation; undoing closes it."""

    async def preview(self, call: StepCall) -> Preview:
        """Return the case that would be opened."""
        return self._preview(call.subject.summary, self.adapter.config.escalation_keyword)

    async def run(self, call: StepCall) -> Fact:
        """Open the case under this step's key."""
        subject, config = call.subject, self.adapter.config
        lines = (subject.reason, subject.note, subject.transcript, call.run)
        return await self._open(
            call, subject.summary, "\n".join(filter(None, lines)),
            config.escalation_keyword, config.escalation_priority,
        )  # fmt: skip

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the case that was opened under this step's key, unless it is closed."""
        case = await self.adapter.client.by_reference(call.key)
        return self._fact(case.id, call.key) if case and case.kind != "done" else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Close the case; a closed one stays closed."""
        del fact
        case = await self.adapter.client.by_reference(call.key)
        if case is not None and case.kind != "done":
            await self.adapter.client.close(case.id)


def _customer(call: StepCall) -> str | None:
    if call.subject.about is not None:
        return call.subject.about.customer
    return call.customer.subject if call.customer is not None else None


def _title(call: StepCall, language: str) -> str:
    amount = _shown(call.subject.amount)
    return text(language, "step.open.subject", order=call.subject.order.number, amount=amount)


def _body(call: StepCall) -> str:
    """Return what came back and what the other systems answered, one fact a line."""
    lines = [f"{line.quantity} × {line.title} ({line.sku})" for line in call.subject.lines]
    facts = [
        f"{slot}: {fact['id']}"
        for slot, fact in sorted(call.facts.items())
        if isinstance(fact.get("id"), str)
    ]
    return "\n".join([*lines, call.subject.reason, *facts, call.run])


def _shown(amount: Money) -> str:
    sign = _SIGN.get(amount.currency)
    return f"{sign}{amount.amount}" if sign else f"{amount.amount} {amount.currency}"
