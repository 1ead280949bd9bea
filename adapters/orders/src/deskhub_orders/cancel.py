"""This adapter's part of a cancellation: the order stops in the shop, or goes on again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_orders.mapping import ShopOrder
from deskhub_sdk import Change, Fact, Preview, Refusal, Step, StepCall, step

if TYPE_CHECKING:
    from deskhub_orders.adapter import Orders

CANCELLABLE = frozenset({"placed", "paid", "packed"})


@step(
    "order.cancel@1",
    provides="cancelled",
    kind="compensable",
    dedupe="key",
    system="Orders",
    timeout_s=10.0,
    done="The order is cancelled in the shop.",
    not_done="The order is not cancelled in the shop.",
)
class CancelOrder(Step):
    """Cancel an order that has not left; undoing puts it back to where it was."""

    adapter: Orders

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would become of the order, or why it is too late."""
        order = await self.adapter.fresh(call.subject.order.id)
        if order is None:
            return Refusal("order_unknown", f"The shop knows no order {call.subject.order.id}.")
        if order.status == "cancelled":
            return Refusal("cancelled", f"Order #{order.number} is cancelled already.")
        if order.status not in CANCELLABLE:
            text = f"Order #{order.number} is {order.status}: a return is the way now."
            return Refusal("shipped", text)
        return Preview(
            title=f"Cancel order #{order.number}",
            changes=(Change(f"Order #{order.number}", order.status.capitalize(), "Cancelled"),),
            detail=f"Order #{order.number} has not been shipped.",
            fingerprint=f"{order.id}:v{order.version}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Cancel the order under the step's key."""
        order = call.subject.order.id
        shop = await self.adapter.client.cancel_order(order, call.subject.reason, call.key)
        self.adapter.forget(order)
        return _fact(shop)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the cancellation made under this step's key, if it stands."""
        order = call.subject.order.id
        shop = (await self.adapter.client.orders([order])).get(order)
        mark = shop.cancellation if shop is not None else None
        if shop is None or mark is None or mark.reference != call.key:
            return None
        return _fact(shop)

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Put the order back; one that goes on already is left alone."""
        order = call.subject.order.id
        await self.adapter.client.reinstate_order(order, call.key)
        self.adapter.forget(order)


def _fact(shop: ShopOrder) -> Fact:
    return {
        "system": "orders",
        "id": shop.number,
        "order": shop.number,
        "text": f"Order #{shop.number} cancelled",
    }
