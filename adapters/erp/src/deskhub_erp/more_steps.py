"""This adapter's part of goodwill and of waiting: the books know, and goods come in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from deskhub_erp.steps import DraftCreditNote
from deskhub_erp.texts import text
from deskhub_sdk import (
    Change,
    Fact,
    NotSent,
    Preview,
    Rejected,
    Step,
    StepCall,
    Throttled,
    Unavailable,
    Waiting,
    step,
)

if TYPE_CHECKING:
    from deskhub_erp.adapter import Erp


@step(
    "order.refund@1",
    provides="credited",
    kind="compensable",
    dedupe="key",
    system="Accounting",
    timeout_s=10.0,
    done="A credit note was drafted.",
    not_done="No credit note was drafted.",
)
class CreditGoodwill(DraftCreditNote):
    """Draft a credit note for goodwill, as for a return."""


@step(
    "order.return@1",
    provides="goods_in",
    needs=("restocked",),
    kind="compensable",
    dedupe="key",
    system="Warehouse",
    timeout_s=10.0,
    done="The goods are in.",
    not_done="The goods are not in.",
)
class AwaitGoods(Step):
    """Wait until the warehouse books the receipt. It changes nothing, so undoing is easy."""

    adapter: Erp

    async def preview(self, call: StepCall) -> Preview:
        """Return that the parcel is awaited, and for how long."""
        del call
        erp = self.adapter
        days = erp.config.goods_days
        return Preview(
            title=text(erp.ctx.language, "step.goods.title", place=erp.config.place),
            changes=(
                Change(
                    text(erp.ctx.language, "step.goods.wait"),
                    None,
                    text(erp.ctx.language, "step.goods.days", days=days),
                ),
            ),
            fingerprint=f"{erp.config.place}:{days}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Return the receipt when it is booked, else what to wait for."""
        erp = self.adapter
        number = call.facts.get("restocked", {}).get("receipt")
        if not isinstance(number, str) or not number:
            raise Rejected("there is no receipt to wait for")
        try:
            receipt = await erp.client.receipt_by_id(number)
        except (Unavailable, Throttled) as error:
            # It was only looked at: nothing can be in doubt.
            raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        if receipt is None or receipt.state == "cancelled":
            raise Rejected(f"receipt {number} was cancelled")
        if receipt.state == "received":
            done = text(erp.ctx.language, "step.goods.done", receipt=number)
            return {"system": "erp", "id": number, "receipt": number, "text": done}
        return Waiting(
            erp.ctx.clock.now() + timedelta(days=erp.config.goods_days),
            wake_on=f"{erp.ctx.instance}:{number}",
            text=text(erp.ctx.language, "step.goods.title", place=erp.config.place),
        )

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Do nothing: waiting has no effect to take back."""
        del call, fact
