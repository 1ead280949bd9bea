"""This adapter's part of actions: returns accepted, orders cancelled, money sent back."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from deskhub_orders_woocommerce.client import mark
from deskhub_orders_woocommerce.mapping import CANCELLED, RETURN, WooOrder, money, packed
from deskhub_orders_woocommerce.mapping import Refund as Made
from deskhub_orders_woocommerce.texts import shown
from deskhub_sdk import (
    Change,
    Conflict,
    Fact,
    Money,
    NotSent,
    Order,
    Preview,
    Refusal,
    Rejected,
    Step,
    StepCall,
    Throttled,
    Unavailable,
    step,
)

if TYPE_CHECKING:
    from deskhub_orders_woocommerce.adapter import OrdersWooCommerce

SYSTEM = "WooCommerce"
DONE = "The customer has been refunded."
NOT_DONE = "The customer has not been refunded."
TIMEOUT_S = 20.0
# What has not left yet may be cancelled.
CANCELLABLE = frozenset({"placed", "paid"})


@step(
    "order.return@1", provides="authorized", kind="compensable", dedupe="key", system=SYSTEM,
    timeout_s=TIMEOUT_S, done="The return is accepted in the shop.",
    not_done="The return is not accepted in the shop.",
)  # fmt: skip
class AcceptReturn(Step):
    """Leave the return at the order as a named value; WooCommerce has no returns of its own.

    The name holds the step's key: writing it twice is writing it once.
    """

    adapter: OrdersWooCommerce

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would be accepted, or why it cannot be."""
        order = await self.adapter.fresh(call.subject.order.id)
        if order is None:
            return _unknown(call)
        lines = {line.id: line for line in order.lines}
        for wanted in call.subject.lines:
            line = lines.get(wanted.line)
            if line is None:
                return Refusal(
                    "line_unknown", f"Order #{order.number} has no line {wanted.line}."
                )
            if wanted.quantity > line.returnable:
                why = line.note or "Already returned"
                return Refusal("not_returnable", f"{line.title}: {why.lower()}.")
        if not call.subject.lines:
            return Refusal("no_lines", "Choose at least one item.")
        changes = tuple(
            Change(
                f"{one.title} returnable", str(lines[one.line].returnable),
                str(lines[one.line].returnable - one.quantity),
            )
            for one in call.subject.lines
        )  # fmt: skip
        return Preview(
            title=f"Accept the return at order #{order.number}",
            changes=changes,
            fingerprint=f"{order.id}:v{order.version}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Leave the return at the order."""
        pieces = [(line.line, line.quantity) for line in call.subject.lines]
        await self._leave(call, packed(pieces))
        return _accepted(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the return that stands at the order under this step's key."""
        woo = await self.adapter.read(call.subject.order.id)
        return _accepted(call) if woo and woo.meta(RETURN + call.key) else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Leave nothing in its place; twice is once."""
        del fact
        await self._leave(call, "")

    async def _leave(self, call: StepCall, value: str) -> None:
        order = call.subject.order.id
        meta = [{"key": RETURN + call.key, "value": value}]
        await self.adapter.client.change(order, meta_data=meta)
        self.adapter.forget(order)


@step(
    "order.cancel@1", provides="cancelled", kind="compensable", dedupe="key", system=SYSTEM,
    timeout_s=TIMEOUT_S, done="The order is cancelled in the shop.",
    not_done="The order is not cancelled in the shop.",
)  # fmt: skip
class CancelOrder(Step):
    """Cancel an order that has not left; undoing puts back the status it had."""

    adapter: OrdersWooCommerce

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would become of the order, or why it is too late."""
        order = await self.adapter.fresh(call.subject.order.id)
        if order is None:
            return _unknown(call)
        if order.status == "cancelled":
            return Refusal("cancelled", f"Order #{order.number} is cancelled already.")
        if order.status not in CANCELLABLE:
            text = f"Order #{order.number} is {order.status}: a return is the way now."
            return Refusal("shipped", text)
        return Preview(
            title=f"Cancel order #{order.number}",
            changes=(Change(f"Order #{order.number}", order.status.capitalize(), "Cancelled"),),
            fingerprint=f"{order.id}:v{order.version}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Cancel the order and leave the key and the status before, in one change."""
        order = call.subject.order.id
        woo = await self._before(call)
        if woo.meta(CANCELLED).partition(" ")[0] == call.key:
            return _cancelled(call)
        if woo.stands not in CANCELLABLE:
            raise Conflict(f"order {order} is {woo.stands} by now")
        meta = [{"key": CANCELLED, "value": f"{call.key} {woo.status}"}]
        await self.adapter.client.change(order, status="cancelled", meta_data=meta)
        self.adapter.forget(order)
        return _cancelled(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the cancellation under this step's key, if it stands."""
        woo = await self.adapter.read(call.subject.order.id)
        ours = woo is not None and woo.meta(CANCELLED).partition(" ")[0] == call.key
        return _cancelled(call) if ours else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Put back the status before; an order that went on since is left alone."""
        del fact
        woo = await self._before(call)
        key, _, was = woo.meta(CANCELLED).partition(" ")
        if key != call.key:
            return
        meta = [{"key": CANCELLED, "value": ""}]
        if woo.status == "cancelled":
            await self.adapter.client.change(call.subject.order.id, status=was, meta_data=meta)
        else:
            await self.adapter.client.change(call.subject.order.id, meta_data=meta)
        self.adapter.forget(call.subject.order.id)

    async def _before(self, call: StepCall) -> WooOrder:
        try:
            woo = await self.adapter.read(call.subject.order.id)
        except (Unavailable, Throttled) as error:
            raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        if woo is None:
            raise Rejected(f"the shop knows no order {call.subject.order.id}")
        return woo


class Refunding(Step):
    """Refunds an amount at the order.

    The shop has no idempotency keys and makes a second refund of a second request. The key
    stands in the refund's reason, and the order's refunds are looked through before any.
    """

    adapter: OrdersWooCommerce

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what the refund would make of the order, or why there can be none."""
        order, amount = await self.adapter.fresh(call.subject.order.id), call.subject.amount
        if order is None:
            return _unknown(call)
        refusal = _refusal(order, amount)
        if refusal is not None:
            return refusal
        after = order.refunded + amount
        return Preview(
            title=f"Refund {shown(amount)} to {order.paid_with or '–'}",
            changes=(
                Change(
                    "Refunded", shown(order.refunded), f"{shown(after)} of {shown(order.total)}"
                ),
            ),
            detail="This cannot be undone.",
            cost=amount,
            fingerprint=f"{order.id}:{order.refunded.amount}/{order.total.amount}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Refund, unless the order's refunds show that this was done."""
        number, amount = call.subject.order.id, call.subject.amount
        try:
            done = await self.lookup(call)
            order = await self.adapter.fresh(number)
        except (Unavailable, Throttled) as error:
            # Nothing has left yet, so nothing can be in doubt.
            raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        if done is not None:
            return done
        if order is None:
            raise Rejected(f"the shop knows no order {number}")
        refusal = _refusal(order, amount)
        if refusal is not None:
            kind = Conflict if refusal.code == "over_refund" else Rejected
            raise kind(refusal.text)
        made = await self.adapter.client.refund(
            number, amount, reason=call.subject.reason, key=call.key
        )
        self.adapter.forget(number)
        return _fact(made, call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund whose reason holds this step's key."""
        for made in await self.adapter.client.refunds_of(call.subject.order.id):
            if mark(call.key) in (made.reason or ""):
                return _fact(made, call)
        return None


@step(
    "order.return@1", provides="refunded", needs=("authorized",), kind="pivot",
    dedupe="lookup", system=SYSTEM, timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class RefundReturn(Refunding):
    """Send back what the returned articles cost."""


@step(
    "order.refund@1", provides="refunded", kind="pivot", dedupe="lookup", system=SYSTEM,
    timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class RefundGoodwill(Refunding):
    """Send an amount back that no article stands for."""


@step(
    "order.cancel@1", provides="refunded", needs=("cancelled",), kind="pivot",
    dedupe="lookup", system=SYSTEM, timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class RefundCancelled(Refunding):
    """Send back everything that was paid; an order nobody paid has nothing to send."""

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would go back, if anything."""
        if call.subject.amount.minor == 0:
            return Preview(title="Nothing was paid", changes=(), fingerprint="nothing")
        return await super().preview(call)

    async def run(self, call: StepCall) -> Fact:
        """Refund, if there is anything to refund."""
        if call.subject.amount.minor == 0:
            return {"system": SYSTEM, "text": "Nothing was paid"}
        return await super().run(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund; of nothing there is none to find."""
        if call.subject.amount.minor == 0:
            return {"system": SYSTEM, "text": "Nothing was paid"}
        return await super().lookup(call)


def _unknown(call: StepCall) -> Refusal:
    return Refusal("order_unknown", f"The shop knows no order {call.subject.order.id}.")


def _refusal(order: Order, amount: Money) -> Refusal | None:
    if amount.currency != order.total.currency:
        return Refusal(
            "other_currency",
            f"The payment was in {order.total.currency}, not {amount.currency}.",
        )
    if order.status == "placed":
        return Refusal("not_paid", f"Order #{order.number} has no captured payment.")
    if amount.minor <= 0:
        return Refusal("nothing", "There is nothing to refund.")
    left = order.total - order.refunded
    if amount.minor > left.minor:
        return Refusal(
            "over_refund", f"Only {shown(left)} of this payment can still be refunded."
        )
    return None


def _accepted(call: StepCall) -> Fact:
    # Short enough to be read out on the telephone, and the same for every repetition.
    number = f"{call.subject.order.number}-{sha256(call.key.encode()).hexdigest()[:6]}"
    return {
        "system": SYSTEM, "id": number, "rma_id": number, "order": call.subject.order.number,
        "text": f"Return {number} created",
    }  # fmt: skip


def _cancelled(call: StepCall) -> Fact:
    number = call.subject.order.number
    text = f"Order #{number} cancelled"
    return {"system": SYSTEM, "id": number, "order": number, "text": text}


def _fact(made: Made, call: StepCall) -> Fact:
    amount = money(made.amount, call.subject.amount.currency)
    return {
        "system": SYSTEM, "id": str(made.id), "refund_id": str(made.id),
        "payment": call.subject.order.id, "amount": amount.amount,
        "currency": amount.currency, "pending": False,
        "text": f"Refund {made.id}: {shown(amount)}",
    }  # fmt: skip
