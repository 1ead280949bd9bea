"""This adapter's part of a cancellation: Shopify cancels in its own time, and for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_orders_shopify.client import is_marked, marked
from deskhub_orders_shopify.texts import text
from deskhub_sdk import (
    Change,
    Fact,
    NotSent,
    Preview,
    Refusal,
    Rejected,
    Step,
    StepCall,
    step,
)

if TYPE_CHECKING:
    from deskhub_orders_shopify.adapter import OrdersShopify

JOB_S = 3.0
REASONS = {
    "changed_mind": "CUSTOMER", "ordered_twice": "CUSTOMER", "too_slow": "CUSTOMER",
    "out_of_stock": "INVENTORY",
}  # fmt: skip


@step(
    "order.cancel@1",
    provides="cancelled",
    needs=("refunded",),
    kind="retriable",
    dedupe="lookup",
    system="Shopify",
    timeout_s=20.0,
    done="The order is cancelled in Shopify.",
    not_done="The order is not cancelled in Shopify.",
)
class CancelOrder(Step):
    """Cancel the order and put its goods back; the money went back before."""

    adapter: OrdersShopify

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would become of the order, or why it is too late."""
        order, language = call.subject.order, self.adapter.ctx.language
        refusal = await self.adapter.too_late(order)
        if refusal is not None:
            return refusal
        after = text(language, "shopify.status.cancelled")
        before = text(language, f"shopify.status.{order.status}")
        return Preview(
            title=text(language, "step.cancel.title", order=order.number),
            changes=(Change(f"#{order.number}", before, after),),
            detail=text(language, "step.cancel.final"),
            fingerprint=f"{order.id}:{order.status}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Cancel the order; asked again while Shopify is at it, nothing is done twice.

        Raises `NotSent` until Shopify's work is done, so that it is run again.
        """
        order = call.subject.order
        now = await self.adapter.client.cancellation(order.id)
        if now is None:
            raise Rejected(f"Shopify has no order {order.number}")
        if now.cancelled_at is None:
            reason = REASONS.get(call.subject.reason, "OTHER")
            is_done = await self.adapter.client.cancel_order(
                order.id, reason, marked(call.subject.reason, call.key)
            )
            self.adapter.forget(order.id)
            if not is_done:
                now = await self.adapter.client.cancellation(order.id)
                if now is None or now.cancelled_at is None:
                    raise NotSent("Shopify has not come to it yet", retry_after_s=JOB_S)
        return self._fact(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the cancellation with this step's key, if it is done."""
        found = await self.adapter.client.cancellation(call.subject.order.id)
        if found is None or found.cancelled_at is None or found.cancellation is None:
            return None
        return self._fact(call) if is_marked(found.cancellation.staff_note, call.key) else None

    def _fact(self, call: StepCall) -> Fact:
        number = call.subject.order.number
        done = text(self.adapter.ctx.language, "step.cancel.done", order=number)
        return {"system": "shopify", "id": number, "order": number, "text": done}
