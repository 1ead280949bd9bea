"""This adapter's part of a return: the authorization (RMA) that everything else hangs on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from deskhub_orders.mapping import RETURNABLE, ShopReturn, delivered_at
from deskhub_sdk import (
    Change,
    Fact,
    Order,
    OrderLine,
    Preview,
    Refusal,
    ReturnLine,
    Step,
    StepCall,
    step,
)

if TYPE_CHECKING:
    from deskhub_orders.adapter import Orders

# Why nothing of a line can come back: the refusal's code for each note of the mapping.
_CODES = {
    "Final sale": "final_sale",
    "Already returned": "returned_already",
    "Not delivered yet": "not_delivered",
    "The order was cancelled": "order_cancelled",
}


@step(
    "order.return@1",
    provides="authorized",
    kind="compensable",
    dedupe="key",
    system="Orders",
    timeout_s=10.0,
    done="The return is authorized in the shop.",
    not_done="The return is not authorized in the shop.",
)
class Authorize(Step):
    """Create a return authorization; undoing cancels it.

    The shop honours idempotency keys: the same key creates one authorization.
    """

    adapter: Orders

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return the authorization that would be created, or why there can be none."""
        order = await self.adapter.fresh(call.subject.order.id)
        if order is None:
            return Refusal("order_unknown", f"The shop knows no order {call.subject.order.id}.")
        refusal = _refusal(order, call.subject.lines)
        if refusal is not None:
            return refusal
        pieces = sum(line.quantity for line in call.subject.lines)
        title = f"Create a return for {pieces} items of order #{order.number}"
        if pieces == 1:
            title = f"Create a return for 1 item of order #{order.number}"
        return Preview(
            title=title,
            changes=(
                Change(f"Order #{order.number}", order.status.capitalize(), "Return open"),
                *(_change(line, order) for line in call.subject.lines),
            ),
            detail=_day(order, self.adapter.config.return_days, self.adapter.ctx.clock.now()),
            fingerprint=f"{order.id}:v{order.version}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Create the authorization under the step's key."""
        order = call.subject.order.id
        made = await self.adapter.client.create_return(
            order, call.subject.lines, call.subject.reason, call.key
        )
        self.adapter.forget(order)
        return _fact(made)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the open authorization created under this step's key, if there is one."""
        made = await self.adapter.client.return_by_reference(call.key)
        return _fact(made) if made else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Cancel the authorization; one that is cancelled already stays so."""
        await self.adapter.client.cancel_return(str(fact["rma_id"]))
        self.adapter.forget(call.subject.order.id)


def _refusal(order: Order, lines: tuple[ReturnLine, ...]) -> Refusal | None:
    """Return the first reason why *lines* cannot go back, or None."""
    if not lines:
        return Refusal("no_lines", "Choose at least one item.")
    if order.status not in RETURNABLE and order.status != "returned":
        if order.status == "cancelled":
            return Refusal("order_cancelled", f"Order #{order.number} was cancelled.")
        return Refusal("not_delivered", f"Order #{order.number} is not delivered yet.")
    known = {line.id: line for line in order.lines}
    for wanted in lines:
        line = known.get(wanted.line)
        if line is None:
            return Refusal("line_unknown", f"Order #{order.number} has no line {wanted.line}.")
        if wanted.quantity > line.returnable:
            return _line_refusal(line, wanted)
    return None


def _line_refusal(line: OrderLine, wanted: ReturnLine) -> Refusal:
    if line.note is None:
        text = (
            f"Of {line.title}, {line.returnable} can still be returned, not {wanted.quantity}."
        )
        return Refusal("returned_already", text)
    return Refusal(_CODES.get(line.note, "too_late"), f"{line.title}: {line.note.lower()}.")


def _change(wanted: ReturnLine, order: Order) -> Change:
    line = next(line for line in order.lines if line.id == wanted.line)
    return Change(
        f"{line.title} returnable", str(line.returnable), str(line.returnable - wanted.quantity)
    )


def _day(order: Order, return_days: int, now: datetime) -> str:
    """Return which day of the return window this is, as a sentence."""
    arrived = delivered_at(order)
    if arrived is None:
        return "No earlier return on these items."
    day = max(0, (now - arrived).days) + 1
    return (
        f"Day {day} of {max(return_days, 1)} after delivery, no earlier return on these items."
    )


def _fact(made: ShopReturn) -> Fact:
    return {
        "system": "orders",
        "id": made.id,
        "rma_id": made.id,
        "order": made.order,
        "text": f"Return {made.id} created",
    }
