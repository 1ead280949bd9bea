"""This adapter's part of a return: the money goes back, once, and cannot be taken again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_payments.client import REFUND_S
from deskhub_payments.mapping import Charge, amount_of
from deskhub_payments.mapping import Refund as Made
from deskhub_payments.texts import shown
from deskhub_sdk import (
    Change,
    Conflict,
    Fact,
    Money,
    NotSent,
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
    from deskhub_payments.adapter import Payments


@step(
    "order.return@1",
    provides="refunded",
    needs=("authorized",),
    kind="pivot",
    dedupe="key",
    system="Payments",
    timeout_s=REFUND_S + 1,
    done="The customer has been refunded.",
    not_done="The customer has not been refunded.",
)
class Refund(Step):
    """Send the amount back to how it was paid.

    The provider keeps an idempotency key for 24 hours. Beyond that the refund is found by its
    reference, which is looked up before a key is used again.
    """

    adapter: Payments

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what the refund would make of the payment, or why there can be none."""
        order, amount = call.subject.order, call.subject.amount
        charge = await self.adapter.fresh(order.id)
        if charge is None:
            return Refusal("not_paid", f"Order #{order.number} has no captured payment.")
        refusal = _refusal(charge, amount)
        if refusal is not None:
            return refusal
        captured = shown(amount_of(charge.captured, charge.currency))
        before = shown(amount_of(charge.refunded, charge.currency))
        after = shown(amount_of(charge.refunded + amount.minor, charge.currency))
        return Preview(
            title=f"Refund {shown(amount)} to {charge.method}",
            changes=(Change("Refunded", before, f"{after} of {captured}"),),
            detail="This cannot be undone.",
            cost=amount,
            fingerprint=f"{charge.id}:{charge.refunded}/{charge.captured}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Refund under the step's key, unless its reference shows that this was done.

        Raises `Conflict` when somebody else refunded meanwhile and too little is left.
        """
        order, amount = call.subject.order.id, call.subject.amount
        try:
            done = await self.lookup(call)
            charge = await self.adapter.fresh(order)
        except (Unavailable, Throttled) as error:
            # Nothing has left yet, so nothing can be in doubt.
            raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        if done is not None:
            return done
        if charge is None:
            raise Rejected(f"order {order} has no captured payment")
        if amount.currency == charge.currency and amount.minor > charge.left:
            raise Conflict(f"payment {charge.id} has less left than {amount.amount}")
        made = await self.adapter.client.refund(
            charge.id, amount, reason=call.subject.reason, key=call.key
        )
        self.adapter.forget(charge)
        return _fact(made, call.subject.order.paid_with)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund made under this step's key, if there is one."""
        made = await self.adapter.client.refund_by_reference(call.key)
        return _fact(made, call.subject.order.paid_with) if made else None


def _refusal(charge: Charge, amount: Money) -> Refusal | None:
    if amount.currency != charge.currency:
        return Refusal(
            "other_currency", f"The payment was in {charge.currency}, not {amount.currency}."
        )
    if amount.minor <= 0:
        return Refusal("nothing", "There is nothing to refund.")
    if amount.minor > charge.left:
        left = shown(amount_of(max(0, charge.left), charge.currency))
        return Refusal("over_refund", f"Only {left} of this payment can still be refunded.")
    return None


def _fact(made: Made, method: str | None) -> Fact:
    amount = amount_of(made.amount, made.currency)
    to = f" to {method}" if method else ""
    return {
        "system": "payments",
        "id": made.id,
        "refund_id": made.id,
        "payment": made.payment,
        "amount": amount.amount,
        "currency": amount.currency,
        "pending": made.status == "pending",
        "text": f"Refund {made.id}: {shown(amount)}{to}",
    }
