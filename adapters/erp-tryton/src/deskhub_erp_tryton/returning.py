"""Tryton's parts of a return: a complaint with its parcel, the goods, the credit note.

Tryton has no idempotency keys and no way to take a confirmed sale back. So every part looks
first where it was left, under the step's key as the complaint's reference, and goes on there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from deskhub_erp_tryton.mapping import CONFIRMED, Complaint, Invoice, Sale, pieces_back
from deskhub_erp_tryton.polling import parcel_object
from deskhub_erp_tryton.texts import text
from deskhub_sdk import (
    Change,
    Fact,
    NeedsPerson,
    NotSent,
    Preview,
    Refusal,
    Rejected,
    Step,
    StepCall,
    Throttled,
    Unavailable,
    Waiting,
    step,
)

if TYPE_CHECKING:
    from deskhub_erp_tryton.adapter import ErpTryton

QUEUE_S = 5.0


class _Part(Step):
    """What the three parts share: finding the return and bringing it on its way."""

    adapter: ErpTryton

    async def _on_its_way(self, complaint: Complaint) -> Sale:
        """Press what is left to press until parcel and credit note exist; return the return.

        Raises `NeedsPerson` where Tryton wants one: its rights and its warnings are its own.
        """
        client = self.adapter.client
        for state, button in (("draft", "wait"), ("waiting", "approve")):
            if complaint.state == state:
                try:
                    complaint = await client.press(
                        Complaint, "sale.complaint", complaint.id, button,
                        "number", "reference", "state", "actions.result",
                    )  # fmt: skip
                except Rejected as error:
                    raise NeedsPerson(f"complaint {complaint.number}: {error}") from error
        if complaint.state in ("cancelled", "rejected"):
            raise Rejected(f"complaint {complaint.number} was {complaint.state} in Tryton")
        if complaint.sale is None and complaint.reference:
            # Approving starts work in Tryton's queue, whose result is not in its answer.
            complaint = await client.complaint(complaint.reference) or complaint
        if complaint.sale is None:
            raise NotSent("Tryton's queue has not come to it yet", retry_after_s=QUEUE_S)
        return await self._confirmed(await client.sale(complaint.sale))

    async def _confirmed(self, sale: Sale) -> Sale:
        client = self.adapter.client
        for state, button in (("draft", "quote"), ("quotation", "confirm")):
            if sale.state == state:
                sale = await client.press_sale(sale.id, button)
        if sale.state == "confirmed":
            sale = await client.sale(sale.id)
        if sale.state == "confirmed":
            raise NotSent("Tryton's queue has not come to it yet", retry_after_s=QUEUE_S)
        return sale

    async def _begun(self, call: StepCall) -> Complaint:
        """Return the complaint that an earlier step opened. Raises `Rejected` without one."""
        reference = call.facts.get("restocked", {}).get("reference")
        found = None
        if isinstance(reference, str) and reference:
            try:
                found = await self.adapter.client.complaint(reference)
            except (Unavailable, Throttled) as error:
                # It was only looked at: nothing can be in doubt.
                raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        if found is None:
            raise Rejected("there is no return in Tryton to go on with")
        return found


@step(
    "order.return@1",
    provides="restocked",
    needs=("authorized",),
    kind="compensable",
    dedupe="lookup",
    system="Tryton",
    timeout_s=30.0,
    done="Tryton expects the goods.",
    not_done="Tryton has not been told.",
)
class ExpectReturn(_Part):
    """Open a complaint that leads to a return with its parcel and a credit note in draft."""

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return how much would be on its way back."""
        language, number = self.adapter.ctx.language, call.subject.order.number
        client = self.adapter.client
        sale = (await client.sales([number])).get(number)
        if sale is None:
            return _refused("unknown_order", language, "step.return.unknown", order=number)
        if sale.state not in CONFIRMED:
            return _refused("not_confirmed", language, "step.return.unconfirmed", order=number)
        returns = await client.returns_of(sale.id)
        changes = []
        for line in call.subject.lines:
            sold = sale.line_of(line.sku)
            if sold is None:
                return _refused(
                    "unknown_sku", language, "step.return.sku", order=number, sku=line.sku
                )
            # Tryton itself takes back more than it sold without a word.
            back = pieces_back(returns, line.sku)
            left = int(sold.quantity or 0) - back
            if line.quantity > left:
                return _refused(
                    "too_many", language, "step.return.too_many",
                    sku=line.sku, left=left, wanted=line.quantity,
                )  # fmt: skip
            title = text(language, "step.return.back", sku=line.sku)
            changes.append(Change(title, str(back), str(back + line.quantity)))
        amount = call.subject.amount
        note = text(language, "step.return.note")
        changes.append(Change(note, None, f"{amount.amount} {amount.currency}"))
        return Preview(
            title=text(language, "step.return.title", order=number),
            changes=tuple(changes),
            fingerprint=f"{sale.id}:{','.join(change.before or '' for change in changes)}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Open the complaint under this step's key, or go on with the one that is there."""
        client, number = self.adapter.client, call.subject.order.number
        complaint = await client.complaint(call.key)
        if complaint is None:
            sale = (await client.sales([number])).get(number)
            if sale is None:
                raise Rejected(f"Tryton has no order {number}")
            lines: dict[int, int] = {}
            for line in call.subject.lines:
                sold = sale.line_of(line.sku)
                if sold is None:
                    raise Rejected(f"order {number} has no {line.sku} in Tryton")
                lines[sold.id] = lines.get(sold.id, 0) + line.quantity
            about = "\n".join(filter(None, (call.subject.reason, call.subject.note, call.run)))
            complaint = await client.open_complaint(
                reference=call.key, sale=sale, lines=lines, text=about
            )
        return self._fact(complaint, await self._on_its_way(complaint))

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the return as far as it got; the next steps bring it further."""
        complaint = await self.adapter.client.complaint(call.key)
        if complaint is None or complaint.state in ("cancelled", "rejected"):
            return None
        sale = None
        if complaint.sale is not None:
            sale = await self.adapter.client.sale(complaint.sale)
            if sale.is_given_up:
                return None
        return self._fact(complaint, sale)

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Cancel what is only expected. What was booked stays: `Rejected`.

        A confirmed return cannot be cancelled in Tryton; without parcel and note it stands
        there as an exception, for somebody to close.
        """
        del fact
        client = self.adapter.client
        complaint = await client.complaint(call.key)
        if complaint is None or complaint.state in ("cancelled", "rejected"):
            return
        if complaint.state in ("draft", "waiting"):
            await client.press(Complaint, "sale.complaint", complaint.id, "cancel", "state")
            return
        if complaint.sale is None:
            raise NotSent("Tryton's queue has not come to it yet", retry_after_s=QUEUE_S)
        sale = await client.sale(complaint.sale)
        if sale.state in ("draft", "quotation"):
            await client.press_sale(sale.id, "cancel")
        elif not sale.is_given_up:
            booked = [one for one in sale.shipment_returns if one.state == "done"]
            posted = [one for one in sale.invoices if one.state in ("posted", "paid")]
            if booked or posted:
                raise Rejected(f"return {sale.number} is booked in Tryton")
            await client.cancel(
                [one for one in sale.shipment_returns if one.state != "cancelled"],
                [one for one in sale.invoices if one.state != "cancelled"],
            )

    def _fact(self, complaint: Complaint, sale: Sale | None) -> Fact:
        language = self.adapter.ctx.language
        number = complaint.number or str(complaint.id)
        fact = {"system": "tryton", "id": number, "reference": complaint.reference or ""}
        if sale is None or not sale.shipment_returns:
            return {**fact, "text": text(language, "step.return.begun", number=number)}
        parcel = sale.shipment_returns[0].number or ""
        shown = sale.number or str(sale.id)
        done = text(language, "step.return.done", number=shown, parcel=parcel)
        return {**fact, "return": shown, "receipt": parcel, "text": done}


@step(
    "order.return@1",
    provides="goods_in",
    needs=("restocked",),
    kind="compensable",
    dedupe="key",
    system="Tryton",
    timeout_s=30.0,
    done="The goods are in.",
    not_done="The goods are not in.",
)
class AwaitGoods(_Part):
    """Wait until the warehouse books the parcel. It changes nothing, so undoing is easy."""

    async def preview(self, call: StepCall) -> Preview:
        """Return that the parcel is awaited, and for how long."""
        del call
        language, days = self.adapter.ctx.language, self.adapter.config.goods_days
        awaited = text(language, "step.goods.days", days=days)
        return Preview(
            title=text(language, "step.goods.title"),
            changes=(Change(text(language, "step.goods.wait"), None, awaited),),
            fingerprint=str(days),
        )

    async def run(self, call: StepCall) -> Fact:
        """Return the parcel when it is booked, else what to wait for."""
        adapter = self.adapter
        sale = await self._on_its_way(await self._begun(call))
        if sale.is_given_up or not sale.shipment_returns:
            raise Rejected(f"return {sale.number} has no parcel to wait for")
        open_ones = [one for one in sale.shipment_returns if one.state in ("draft", "received")]
        number = sale.shipment_returns[0].number or ""
        if not open_ones:
            done = text(adapter.ctx.language, "step.goods.done", parcel=number)
            return {"system": "tryton", "id": number, "receipt": number, "text": done}
        return Waiting(
            adapter.ctx.clock.now() + timedelta(days=adapter.config.goods_days),
            wake_on=parcel_object(adapter.ctx.instance, open_ones[0]),
            text=text(adapter.ctx.language, "step.goods.title"),
        )

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Do nothing: waiting has no effect to take back."""
        del call, fact


@step(
    "order.return@1",
    provides="credited",
    needs=("restocked", "refunded"),
    kind="retriable",
    dedupe="lookup",
    system="Tryton",
    timeout_s=60.0,
    done="A credit note is there.",
    not_done="There is no posted credit note.",
)
class PostCreditNote(_Part):
    """Post the credit note of the return, once the money went back."""

    async def preview(self, call: StepCall) -> Preview:
        """Return the amount that would be credited."""
        language, order = self.adapter.ctx.language, call.subject.order.number
        posts = self.adapter.config.post_credit_notes
        title = "step.credit.title" if posts else "step.credit.draft_title"
        amount = call.subject.amount
        label = text(language, "step.credit.change", order=order)
        return Preview(
            title=text(language, title, order=order),
            changes=(Change(label, None, f"{amount.amount} {amount.currency}"),),
            fingerprint=str(posts),
        )

    async def run(self, call: StepCall) -> Fact:
        """Post the note, which takes Tryton some seconds; a posted one stays as it is."""
        sale = await self._on_its_way(await self._begun(call))
        note = _note(sale)
        if note is None:
            raise NeedsPerson(f"return {sale.number} has no credit note yet; see its method")
        if self.adapter.config.post_credit_notes and note.state in ("draft", "validated"):
            try:
                note = await self.adapter.client.press(
                    Invoice, "account.invoice", note.id, "post", "number", "state",
                    "total_amount", timeout_s=self.adapter.config.posting_timeout_s,
                )  # fmt: skip
            except Rejected as error:
                raise NeedsPerson(f"credit note of return {sale.number}: {error}") from error
        return self._fact(note)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the note when it is as it should be, None when posting is left to do."""
        complaint = await self._begun(call)
        if complaint.sale is None:
            return None
        note = _note(await self.adapter.client.sale(complaint.sale))
        wanted = ("posted", "paid") if self.adapter.config.post_credit_notes else None
        if note is None or (wanted is not None and note.state not in wanted):
            return None
        return self._fact(note)

    def _fact(self, note: Invoice) -> Fact:
        language = self.adapter.ctx.language
        shown = text(language, "step.credit.draft")
        if note.number:
            shown = text(language, "step.credit.done", number=note.number)
        return {
            "system": "tryton", "id": note.number or f"#{note.id}",
            "credit_note": note.number or "", "text": shown,
        }  # fmt: skip


def _note(sale: Sale) -> Invoice | None:
    return next((one for one in sale.invoices if one.state != "cancelled"), None)


def _refused(code: str, language: str, key: str, **values: object) -> Refusal:
    return Refusal(code=code, text=text(language, key, **values))
