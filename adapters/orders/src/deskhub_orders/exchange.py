"""This adapter's part of an exchange: a return, and an order for what goes out instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_orders.steps import Authorize
from deskhub_sdk import Change, Fact, OrderId, Preview, Refusal, Step, StepCall, step

if TYPE_CHECKING:
    from deskhub_orders.adapter import Orders


@step(
    "order.exchange@1",
    provides="authorized",
    kind="compensable",
    dedupe="key",
    system="Orders",
    timeout_s=10.0,
    done="The return is authorized in the shop.",
    not_done="The return is not authorized in the shop.",
)
class AuthorizeExchange(Authorize):
    """Create a return authorization, as for a return."""


@step(
    "order.exchange@1",
    provides="replaced",
    needs=("authorized", "reserved"),
    kind="compensable",
    dedupe="key",
    system="Orders",
    timeout_s=10.0,
    done="The replacement is ordered in the shop.",
    not_done="No replacement is ordered in the shop.",
)
class Replace(Step):
    """Order the new article for nothing; until it is shipped the order can be cancelled."""

    adapter: Orders

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return the order that would be placed."""
        order, instead = call.subject.order, call.subject.instead
        if not instead:
            return Refusal("no_lines", "Choose what goes out instead.")
        titles = ", ".join(f"{line.title} × {line.quantity}" for line in instead)
        return Preview(
            title=f"Order a replacement for order #{order.number}",
            changes=(Change("Replacement", None, titles),),
            fingerprint=f"{order.id}:{titles}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Place the order under the step's key."""
        subject = call.subject
        made = await self.adapter.client.replace(
            subject.order.id, subject.instead, subject.reason, call.key
        )
        self.adapter.ids.forget(subject.order.customer)
        return {
            "system": "orders",
            "id": made.number,
            "replacement": made.id,
            "text": f"Replacement #{made.number} ordered",
        }

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Cancel the replacement; a cancelled one stays so."""
        made = OrderId(str(fact["replacement"]))
        await self.adapter.client.cancel_order(made, call.subject.reason, f"{call.key}-undo")
        self.adapter.forget(made)
