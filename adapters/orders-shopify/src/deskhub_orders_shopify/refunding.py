"""The money's way back, exactly once: by a key that Shopify knows, and by looking first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_orders_shopify.answers import OrderMoney
from deskhub_orders_shopify.answers import Refund as Made
from deskhub_orders_shopify.client import is_marked, marked
from deskhub_orders_shopify.texts import shown, text
from deskhub_sdk import (
    Change,
    Conflict,
    Fact,
    Money,
    NeedsPerson,
    Preview,
    Refusal,
    Rejected,
    Step,
    StepCall,
    step,
)

if TYPE_CHECKING:
    from deskhub_orders_shopify.adapter import OrdersShopify

DONE = "The customer has been refunded."
NOT_DONE = "The customer has not been refunded."
TIMEOUT_S = 25.0


@step(
    "order.return@1", provides="refunded", needs=("authorized",), kind="pivot", dedupe="key",
    system="Shopify", timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class Refund(Step):
    """Send the amount back to how it was paid.

    Shopify keeps an idempotency key for a time it does not promise. Beyond that the refund is
    found by the key in its note, which is looked for before anything is sent.
    """

    adapter: OrdersShopify

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what the refund would make of the payments, or why there can be none."""
        language, order = self.adapter.ctx.language, call.subject.order
        amount = call.subject.amount
        money = await self.adapter.client.money_of(order.id)
        paid = _paid(money, amount.currency)
        if money is None or not paid:
            return Refusal("not_paid", text(language, "step.refund.unpaid", order=order.number))
        left = Money.from_minor(sum(rest for _, rest in paid), amount.currency)
        if amount.minor <= 0:
            return Refusal("nothing", text(language, "step.refund.nothing"))
        if amount.minor > left.minor:
            why = text(language, "step.refund.too_much", left=shown(left))
            return Refusal("over_refund", why)
        label = text(language, "step.refund.left")
        return Preview(
            title=text(language, "step.refund.title", amount=shown(amount)),
            changes=(Change(label, shown(left), shown(left - amount)),),
            detail=text(language, "step.refund.final"),
            cost=amount,
            fingerprint=f"{order.id}:{left.minor}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Refund under the step's key, unless a refund with it is there.

        Raises `Conflict` when somebody else refunded meanwhile, `NeedsPerson` when Shopify
        booked the refund and the payment provider refused it.
        """
        order, amount = call.subject.order, call.subject.amount
        money = await self.adapter.client.money_of(order.id)
        if money is None:
            raise Rejected(f"Shopify has no order {order.number}")
        done = _under(money, call.key)
        if done is None:
            done = await self.adapter.client.refund(
                order.id, _parts(money, amount), amount,
                note=marked(call.subject.reason, call.key), key=call.key,
            )  # fmt: skip
            self.adapter.forget(order.id)
        if done.has_failed:
            raise NeedsPerson(
                f"Shopify booked refund {done.id}, but the payment provider refused it"
            )
        return self._fact(done, amount)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund with this step's key, if money moved by it."""
        money = await self.adapter.client.money_of(call.subject.order.id)
        done = _under(money, call.key) if money is not None else None
        if done is None or done.has_failed:
            return None
        return self._fact(done, call.subject.amount)

    def _fact(self, made: Made, amount: Money) -> Fact:
        language, number = self.adapter.ctx.language, made.id.rpartition("/")[2]
        key = "step.refund.pending" if made.is_pending else "step.refund.done"
        return {
            "system": "shopify",
            "id": number,
            "refund_id": number,
            "amount": amount.amount,
            "currency": amount.currency,
            "pending": made.is_pending,
            "text": text(language, key, refund=number, amount=shown(amount)),
        }


@step(
    "order.refund@1", provides="refunded", kind="pivot", dedupe="key", system="Shopify",
    timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class GoodwillRefund(Refund):
    """Send an amount back that no article stands for."""


@step(
    "order.cancel@1", provides="refunded", kind="pivot", dedupe="key", system="Shopify",
    timeout_s=TIMEOUT_S, done=DONE, not_done=NOT_DONE,
)  # fmt: skip
class CancelRefund(Refund):
    """Send back everything that was paid before the order is cancelled.

    A cancellation cannot be taken back in Shopify, so it comes after the money.
    """

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would go back, or why the order cannot be cancelled any more."""
        refusal = await self.adapter.too_late(call.subject.order)
        if refusal is not None:
            return refusal
        if call.subject.amount.minor == 0:
            return Preview(title=self._nothing(), changes=(), fingerprint="nothing")
        return await super().preview(call)

    async def run(self, call: StepCall) -> Fact:
        """Refund under the step's key, if there is anything to refund."""
        if call.subject.amount.minor == 0:
            return {"system": "shopify", "text": self._nothing()}
        return await super().run(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund with this step's key; of nothing there is none to find."""
        if call.subject.amount.minor == 0:
            return {"system": "shopify", "text": self._nothing()}
        return await super().lookup(call)

    def _nothing(self) -> str:
        return text(self.adapter.ctx.language, "step.cancel.unpaid")


def _paid(money: OrderMoney | None, currency: str) -> list[tuple[str, int]]:
    """Return the payments in *currency* with what each can take back."""
    if money is None:
        return []
    return [
        (one.formatted_gateway or one.gateway or "", left)
        for one, left in money.left()
        if one.money.currency == currency
    ]


def _under(money: OrderMoney, key: str) -> Made | None:
    return next((one for one in money.refunds if is_marked(one.note, key)), None)


def _parts(money: OrderMoney, amount: Money) -> list[dict[str, object]]:
    """Return *amount* as transactions against the payments, first paid first.

    Raises `Conflict` when too little is left.
    """
    parts: list[dict[str, object]] = []
    open_minor = amount.minor
    for payment, left in money.left():
        part = min(left, open_minor)
        if payment.money.currency != amount.currency or part <= 0:
            continue
        parts.append({
            "orderId": money.id, "parentId": payment.id, "gateway": payment.gateway or "",
            "kind": "REFUND", "amount": Money.from_minor(part, amount.currency).amount,
        })  # fmt: skip
        open_minor -= part
    if open_minor > 0:
        raise Conflict(f"order {money.id} has less left than {amount.amount}")
    return parts
