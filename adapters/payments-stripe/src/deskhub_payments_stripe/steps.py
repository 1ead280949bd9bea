"""This adapter's part of actions: money goes back through Stripe, once, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_payments_stripe.amounts import units_of
from deskhub_payments_stripe.mapping import GONE, Paid
from deskhub_payments_stripe.mapping import Refund as Made
from deskhub_payments_stripe.texts import shown
from deskhub_sdk import (
    Change,
    Conflict,
    Fact,
    Money,
    NeedsPerson,
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
    from deskhub_payments_stripe.adapter import PaymentsStripe

SYSTEM = "Stripe"
DONE = "The customer has been refunded."
NOT_DONE = "The customer has not been refunded."
TIMEOUT_S = 20.0


class Refunding(Step):
    """Refunds *amount* of the order's payment under the step's key.

    Stripe prunes keys after a day and never makes a refund searchable. Every refund carries
    its key in its metadata; the payment's refunds are looked through before a key is used.
    """

    adapter: PaymentsStripe

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what the refund would make of the payment, or why there can be none."""
        order, amount = call.subject.order, call.subject.amount
        payments = await self.adapter.payments_of(order)
        if not payments:
            return Refusal("not_paid", f"Order #{order.number} has no captured payment.")
        if len(payments) > 1:
            return Refusal(
                "several_payments",
                f"Order #{order.number} was paid in several parts: refund it in Stripe.",
            )
        paid = payments[0]
        refusal = _refusal(paid, amount)
        if refusal is not None:
            return refusal
        before = shown(paid.money(paid.refunded))
        after = shown(paid.money(paid.refunded + units_of(amount)))
        whole = shown(paid.money(paid.captured))
        return Preview(
            title=f"Refund {shown(amount)} to {paid.method}",
            changes=(Change("Refunded", before, f"{after} of {whole}"),),
            detail="This cannot be undone.",
            cost=amount,
            fingerprint=f"{paid.id}:{paid.refunded}/{paid.captured}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Refund, unless the payment's refunds show that this was done.

        Raises `Conflict` when too little is left of the payment.
        """
        amount = call.subject.amount
        try:
            payments = await self.adapter.payments_of(call.subject.order)
            done = await self._find(payments, call.key)
        except (Unavailable, Throttled) as error:
            # Nothing has left yet, so nothing can be in doubt.
            raise NotSent(str(error), retry_after_s=error.retry_after_s) from error
        if done is not None:
            return done
        paid = _only(payments, call)
        refusal = _refusal(paid, amount)
        if refusal is not None:
            kind = Conflict if refusal.code == "over_refund" else Rejected
            raise kind(refusal.text)
        made = await self.adapter.client.refund(
            paid.id, amount, reason=call.subject.reason, key=call.key
        )
        self.adapter.forget(paid)
        return _fact(made, paid)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund that carries this step's key, unless it failed."""
        payments = await self.adapter.payments_of(call.subject.order)
        return await self._find(payments, call.key)

    async def _find(self, payments: tuple[Paid, ...], key: str) -> Fact | None:
        for paid in payments:
            for made in await self.adapter.client.refunds_of(paid.id):
                if made.key == key and made.status not in GONE:
                    return _fact(made, paid)
        return None


@step(
    "order.return@1", provides="refunded", needs=("authorized",), kind="pivot", dedupe="key",
    system=SYSTEM, timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class RefundReturn(Refunding):
    """Send back what the returned articles cost."""


@step(
    "order.refund@1", provides="refunded", kind="pivot", dedupe="key", system=SYSTEM,
    timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class RefundGoodwill(Refunding):
    """Send an amount back that no article stands for."""


class RefundIfAny(Refunding):
    """Refunds, where an amount of nothing is done at once."""

    nothing = "Nothing was paid"

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would go back, if anything."""
        if call.subject.amount.minor == 0:
            return Preview(title=self.nothing, changes=(), fingerprint="nothing")
        return await super().preview(call)

    async def run(self, call: StepCall) -> Fact:
        """Refund, if there is anything to refund."""
        return self._none(call) or await super().run(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund; of nothing there is none to find."""
        return self._none(call) or await super().lookup(call)

    def _none(self, call: StepCall) -> Fact | None:
        if call.subject.amount.minor:
            return None
        return {"system": SYSTEM, "text": self.nothing}


@step(
    "order.cancel@1", provides="refunded", needs=("cancelled",), kind="pivot", dedupe="key",
    system=SYSTEM, timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class RefundCancelled(RefundIfAny):
    """Send back everything that was paid; an order nobody paid has nothing to send."""


@step(
    "order.exchange@1", provides="refunded", needs=("replaced",), kind="pivot", dedupe="key",
    system=SYSTEM, timeout_s=TIMEOUT_S, done="The difference was refunded, if there was one.",
    not_done="The difference has not been refunded.",
)  # fmt: skip
class RefundDifference(RefundIfAny):
    """Send back by what the new article is cheaper."""

    nothing = "Nothing to refund: the price is the same"


def _only(payments: tuple[Paid, ...], call: StepCall) -> Paid:
    number = call.subject.order.number
    if not payments:
        raise Rejected(f"order {number} has no captured payment")
    if len(payments) > 1:
        raise NeedsPerson(f"order {number} was paid in {len(payments)} parts")
    return payments[0]


def _refusal(paid: Paid, amount: Money) -> Refusal | None:
    if amount.currency != paid.currency:
        return Refusal(
            "other_currency", f"The payment was in {paid.currency}, not {amount.currency}."
        )
    if paid.disputed:
        return Refusal("disputed", "This payment is in dispute: answer that in Stripe first.")
    try:
        units = units_of(amount)
    except ValueError:
        return Refusal("not_movable", f"Stripe cannot refund exactly {shown(amount)}.")
    if units <= 0:
        return Refusal("nothing", "There is nothing to refund.")
    if units > paid.left:
        left = shown(paid.money(paid.left))
        return Refusal("over_refund", f"Only {left} of this payment can still be refunded.")
    return None


def _fact(made: Made, paid: Paid) -> Fact:
    amount = paid.money(made.amount)
    return {
        "system": SYSTEM,
        "id": made.id,
        "refund_id": made.id,
        "payment": paid.id,
        "amount": amount.amount,
        "currency": amount.currency,
        "pending": made.status in ("pending", "requires_action"),
        "text": f"Refund {made.id}: {shown(amount)} to {paid.method}",
    }
