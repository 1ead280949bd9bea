"""This adapter's part of an exchange: the new article is set aside, the old one expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_erp.mapping import Article
from deskhub_erp.steps import DraftCreditNote, ExpectReceipt
from deskhub_erp.texts import text
from deskhub_sdk import Change, Fact, Preview, Refusal, Step, StepCall, step

if TYPE_CHECKING:
    from deskhub_erp.adapter import Erp


@step(
    "order.exchange@1",
    provides="reserved",
    kind="compensable",
    dedupe="key",
    system="Warehouse",
    timeout_s=10.0,
    done="The new article is set aside.",
    not_done="The new article is not set aside.",
)
class SetAside(Step):
    """Reserve what goes out; a reservation that nobody releases runs out by itself."""

    adapter: Erp

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would be left in stock, or that there is not enough."""
        erp, language = self.adapter, self.adapter.ctx.language
        changes = []
        for line in call.subject.instead:
            article = await self._article(line.line, line.sku)
            stock = 0 if article is None else article.quantity_on_hand
            if stock < line.quantity:
                told = text(
                    language,
                    "step.hold.out",
                    title=line.title,
                    stock=stock,
                    wanted=line.quantity,
                )
                return Refusal("out_of_stock", told)
            label = text(language, "step.hold.stock", sku=line.sku)
            changes.append(Change(label, str(stock), str(stock - line.quantity)))
        titles = ", ".join(line.title for line in call.subject.instead)
        return Preview(
            title=text(language, "step.hold.title", title=titles, place=erp.config.place),
            changes=tuple(changes),
            # Somebody may buy one meanwhile; what counts is that there are enough.
            fingerprint=f"{erp.config.place}:{titles}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Set the articles aside under this step's key."""
        made = await self.adapter.client.reserve(
            key=call.key,
            order=call.subject.order.number,
            lines=call.subject.instead,
            hours=self.adapter.config.hold_hours,
        )
        told = text(self.adapter.ctx.language, "step.hold.done", reservation=made.id)
        return {"system": "erp", "id": made.id, "reservation": made.id, "text": told}

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Put the articles back; what was released stays so."""
        del call
        await self.adapter.client.release(str(fact["reservation"]))

    async def _article(self, product: str, sku: str) -> Article | None:
        found = (await self.adapter.client.variants([product])).get(product, ())
        return next((one for one in found if one.sku == sku), None)


@step(
    "order.exchange@1",
    provides="restocked",
    needs=("authorized",),
    kind="compensable",
    dedupe="lookup",
    system="Warehouse",
    timeout_s=10.0,
    done="The warehouse expects the goods.",
    not_done="The warehouse has not been told.",
)
class ExpectExchanged(ExpectReceipt):
    """Announce what comes back, as for a return."""


@step(
    "order.exchange@1",
    provides="credited",
    needs=("authorized",),
    kind="compensable",
    dedupe="key",
    system="Accounting",
    timeout_s=10.0,
    done="The difference is in the books.",
    not_done="The difference is not in the books.",
)
class CreditDifference(DraftCreditNote):
    """Draft a credit note over the difference; where there is none, there is nothing to do."""

    async def preview(self, call: StepCall) -> Preview:
        """Return the amount that would be credited, if any."""
        if call.subject.amount.minor == 0:
            return Preview(title=self._nothing, changes=(), fingerprint="even")
        return await super().preview(call)

    async def run(self, call: StepCall) -> Fact:
        """Draft the note under this step's key, if there is a difference."""
        if call.subject.amount.minor == 0:
            return {"system": "erp", "text": self._nothing}
        return await super().run(call)

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Cancel the draft, if there is one."""
        if call.subject.amount.minor:
            await super().undo(call, fact)

    @property
    def _nothing(self) -> str:
        return text(self.adapter.ctx.language, "step.credit.nothing")
