"""The money's way back for other reasons than a return: the same refund."""

from __future__ import annotations

from deskhub_payments.client import REFUND_S
from deskhub_payments.steps import Refund
from deskhub_sdk import Fact, Preview, Refusal, StepCall, step

DONE = "The customer has been refunded."
NOT_DONE = "The customer has not been refunded."


@step(
    "order.cancel@1",
    provides="refunded",
    needs=("cancelled",),
    kind="pivot",
    dedupe="key",
    system="Payments",
    timeout_s=REFUND_S + 1,
    done=DONE,
    not_done=NOT_DONE,
)
class CancelRefund(Refund):
    """Send back everything that was paid; an order nobody paid has nothing to send."""

    nothing = "Nothing was paid"

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what would go back."""
        if call.subject.amount.minor == 0:
            return Preview(title=self.nothing, changes=(), fingerprint="nothing")
        return await super().preview(call)

    async def run(self, call: StepCall) -> Fact:
        """Refund under the step's key, if there is anything to refund."""
        if call.subject.amount.minor == 0:
            return {"system": "payments", "text": self.nothing}
        return await super().run(call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the refund made under this step's key; of nothing there is none to find."""
        if call.subject.amount.minor == 0:
            return {"system": "payments", "text": self.nothing}
        return await super().lookup(call)


@step(
    "order.exchange@1",
    provides="refunded",
    needs=("replaced",),
    kind="pivot",
    dedupe="key",
    system="Payments",
    timeout_s=REFUND_S + 1,
    done="The difference was refunded, if there was one.",
    not_done="The difference has not been refunded.",
)
class ExchangeRefund(CancelRefund):
    """Send back by what the new article is cheaper."""

    nothing = "Nothing to refund: the price is the same"


@step(
    "order.refund@1",
    provides="refunded",
    kind="pivot",
    dedupe="key",
    system="Payments",
    timeout_s=REFUND_S + 1,
    done=DONE,
    not_done=NOT_DONE,
)
class GoodwillRefund(Refund):
    """Send an amount back that no article stands for."""
