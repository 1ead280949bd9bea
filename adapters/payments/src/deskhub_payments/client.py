"""The border to the payment provider: its calls, as this adapter's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deskhub_payments.mapping import Charge, ChargesAnswer, Refund, RefundAnswer, RefundsAnswer
from deskhub_sdk import (
    AdapterError,
    BatchRefused,
    HttpAnswer,
    Malformed,
    Money,
    NeedsPerson,
    OrderId,
    Rejected,
)
from deskhub_sdk.rest import Rest

MAX_BATCH = 100
REFUND_S = 9.0


class PaymentsClient(Rest):
    """The provider's HTTP interface with one token."""

    async def by_order(self, orders: Sequence[OrderId]) -> Mapping[OrderId, Charge]:
        """Return the payment of each of at most 100 *orders* that has one.

        Raises `BatchRefused` when the provider refuses all because of one; alone, that one
        counts as unpaid.
        """
        answer = await self.read("/v1/payments", {"orders": ",".join(orders)})
        if answer.status == 400 and len(orders) == 1:
            self.ctx.log.warning("payment_unreadable", extra={"order": orders[0]})
            return {}
        if answer.status == 400:
            raise BatchRefused(f"the provider refused a batch of {len(orders)} orders")
        self.expect(answer, 200)
        found = self.parse(answer.body, ChargesAnswer).payments
        return {OrderId(charge.order): charge for charge in found}

    async def of_customers(self, customers: Sequence[str]) -> Mapping[str, Sequence[Charge]]:
        """Return the latest payments of at most 100 *customers*, newest first."""
        asked = {"customers": ",".join(customers)}
        found: dict[str, list[Charge]] = {}
        for charge in (await self.found(ChargesAnswer, "/v1/payments", asked)).payments:
            found.setdefault(charge.customer, []).append(charge)
        return found

    async def refund(self, payment: str, amount: Money, *, reason: str, key: str) -> Refund:
        """Send *amount* back under the idempotency *key*.

        Raises `Rejected` when the provider refuses for good, `NeedsPerson` when it holds the
        refund for review, and `OutcomeUnknown` when nobody can tell.
        """
        body = {
            "payment": payment,
            "amount": amount.minor,
            "currency": amount.currency,
            "reason": reason,
            "reference": key,
        }
        answer = await self.write(
            "/v1/refunds", body, key=key, repeatable=False, timeout_s=REFUND_S
        )
        if answer.status == 404:
            raise Rejected(f"the provider knows no payment {payment}")
        made = self.done(answer, RefundAnswer).refund
        if made.status == "failed":
            raise Rejected(f"refund {made.id} failed at the provider")
        return made

    async def refund_by_reference(self, reference: str) -> Refund | None:
        """Return the refund made under *reference* that did not fail, if there is one."""
        found = await self.found(RefundsAnswer, "/v1/refunds", {"reference": reference})
        return next((one for one in found.refunds if one.status != "failed"), None)

    def refusal(self, answer: HttpAnswer) -> AdapterError:
        """Return what an unexpected *answer* means; a refund held for review needs a person."""
        try:
            told = answer.json()
        except Malformed:
            told = None
        if isinstance(told, dict) and told.get("error") == "review":
            return NeedsPerson(f"the provider answered {answer.status} {self.said(answer)}")
        return super().refusal(answer)
