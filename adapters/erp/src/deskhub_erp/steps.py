"""This adapter's parts of a return: goods that are expected, and a credit note in draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_erp.mapping import CreditNote, Receipt
from deskhub_erp.texts import shown, text
from deskhub_sdk import (
    Change,
    Fact,
    Money,
    Preview,
    Refusal,
    Rejected,
    Step,
    StepCall,
    step,
)

if TYPE_CHECKING:
    from deskhub_erp.adapter import Erp


@step(
    "order.return@1",
    provides="restocked",
    needs=("authorized",),
    kind="compensable",
    dedupe="lookup",
    system="Warehouse",
    timeout_s=10.0,
    done="The warehouse expects the goods.",
    not_done="The warehouse has not been told.",
)
class ExpectReceipt(Step):
    """Announce the goods. The ERP has no idempotency keys, so a doubt is looked up."""

    adapter: Erp

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return how much more of each article the warehouse would expect."""
        erp, language = self.adapter, self.adapter.ctx.language
        known = await erp.by_sku(call.subject.order.customer, call.subject.lines)
        unknown = [line.sku for line in call.subject.lines if line.sku not in known]
        if unknown:
            return Refusal(
                code="unknown_sku",
                text=text(language, "step.receive.unknown", sku=", ".join(unknown)),
            )
        changes = [
            Change(
                text(language, "step.receive.inbound", sku=line.sku),
                str(known[line.sku].inbound),
                str(known[line.sku].inbound + line.quantity),
            )
            for line in call.subject.lines
        ]
        carrier = text(language, "step.receive.label.new", carrier=erp.config.carrier)
        changes.append(Change(text(language, "step.receive.label"), None, carrier))
        pieces = sum(line.quantity for line in call.subject.lines)
        title = "step.receive.title.one" if pieces == 1 else "step.receive.title"
        return Preview(
            title=text(language, title, pieces=pieces, place=erp.config.place),
            changes=tuple(changes),
            # Other returns may be announced meanwhile; that does not change this one.
            fingerprint=f"{erp.config.place}:{','.join(sorted(known))}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Announce the goods under this step's reference."""
        rma = call.facts.get("authorized", {}).get("rma_id")
        if not isinstance(rma, str) or not rma:
            raise Rejected("the return has no authorization to refer to")
        receipt = await self.adapter.client.expect_goods(
            reference=call.key,
            order=call.subject.order.number,
            rma=rma,
            lines=call.subject.lines,
        )
        return _receipt_fact(receipt)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the receipt with this step's reference, unless it was cancelled."""
        receipt = await self.adapter.client.receipt(call.key)
        return _receipt_fact(receipt) if receipt else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Cancel the receipt; one that is not there needs nothing."""
        receipt = await self.adapter.client.receipt(call.key)
        if receipt is not None:
            await self.adapter.client.cancel_receipt(receipt.id)


@step(
    "order.return@1",
    provides="credited",
    needs=("authorized",),
    kind="compensable",
    dedupe="key",
    system="Accounting",
    timeout_s=10.0,
    done="A credit note was drafted.",
    not_done="No credit note was drafted.",
)
class DraftCreditNote(Step):
    """Draft a credit note under an idempotency key; accounting posts it when goods are in."""

    adapter: Erp

    async def preview(self, call: StepCall) -> Preview:
        """Return the amount that would be credited."""
        language, account = self.adapter.ctx.language, self.adapter.config.account
        amount = call.subject.amount
        nothing = Money.from_minor(0, amount.currency)
        order = call.subject.order.number
        return Preview(
            title=text(language, "step.credit.title", account=account),
            changes=(
                Change(
                    text(language, "step.credit.change", order=order),
                    shown(nothing.amount, nothing.currency),
                    shown(amount.amount, amount.currency),
                ),
            ),
            fingerprint=account,
        )

    async def run(self, call: StepCall) -> Fact:
        """Draft the note under this step's key."""
        amount = call.subject.amount
        note = await self.adapter.client.draft_credit(
            key=call.key,
            order=call.subject.order.number,
            customer=call.subject.order.customer,
            amount=amount.amount,
            currency=amount.currency,
            account=self.adapter.config.account,
        )
        return _credit_fact(note)

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Cancel the draft; a cancelled one stays cancelled."""
        note = fact.get("credit_note_id")
        if not isinstance(note, str):
            # The outcome was unknown: the key answers which note it was, or makes it now.
            note = str((await self.run(call))["credit_note_id"])
        await self.adapter.client.cancel_credit(note)


def _receipt_fact(receipt: Receipt) -> Fact:
    return {
        "receipt": receipt.id,
        "place": receipt.place,
        "carrier": receipt.carrier,
        "label": receipt.label,
        "text": f"{receipt.id} · {receipt.label}",
    }


def _credit_fact(note: CreditNote) -> Fact:
    return {
        "credit_note": note.number,
        "credit_note_id": note.id,
        "account": note.account,
        "text": note.number,
    }
