"""This adapter's part of a return: the return in Shopify that everything else hangs on.

Shopify takes no idempotency key for returns. The step's key stands in the note of every line,
and is looked for before a return is created.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deskhub_orders_shopify.answers import Return, ReturnableAnswer
from deskhub_orders_shopify.client import marked
from deskhub_orders_shopify.mapping import gid
from deskhub_orders_shopify.texts import text
from deskhub_sdk import (
    Change,
    Conflict,
    Fact,
    Order,
    Preview,
    Refusal,
    ReturnLine,
    Step,
    StepCall,
    step,
)

if TYPE_CHECKING:
    from deskhub_orders_shopify.adapter import OrdersShopify


WHY = {
    "The order was cancelled": "why.cancelled", "Already returned": "why.returned",
    "Not delivered yet": "why.not_sent",
}  # fmt: skip


@step(
    "order.return@1",
    provides="authorized",
    kind="compensable",
    dedupe="lookup",
    system="Shopify",
    timeout_s=20.0,
    done="The return is created in Shopify.",
    not_done="The return is not created in Shopify.",
)
class CreateReturn(Step):
    """Create a return; it can be cancelled until goods or money have moved."""

    adapter: OrdersShopify

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Return what could come back after it, or why these pieces cannot."""
        language, wanted = self.adapter.ctx.language, call.subject.order
        order = await self.adapter.fresh(wanted.id)
        if order is None:
            return _refused("order_unknown", language, "step.unknown", order=wanted.number)
        if not call.subject.lines:
            return _refused("no_lines", language, "step.return.no_lines")
        for line in call.subject.lines:
            refusal = _line_refusal(order, line, language)
            if refusal is not None:
                return refusal
        can = await self.adapter.client.returnable(order.id)
        changes = []
        for line in call.subject.lines:
            parts = can.of(gid("LineItem", line.line), line.sku)
            left = sum(one.quantity for one in parts)
            if line.quantity > left:
                return _refused(
                    "returned_already", language, "step.return.too_many",
                    title=line.title, left=left, wanted=line.quantity,
                )  # fmt: skip
            label = text(language, "step.return.left", title=line.title)
            changes.append(Change(label, str(left), str(left - line.quantity)))
        return Preview(
            title=text(language, "step.return.title", order=order.number),
            changes=tuple(changes),
            fingerprint=f"{order.id}:{','.join(change.before or '' for change in changes)}",
        )

    async def run(self, call: StepCall) -> Fact:
        """Create the return, unless one with this step's key is there."""
        done = await self.lookup(call)
        if done is not None:
            return done
        client, order = self.adapter.client, call.subject.order.id
        can = await client.returnable(order)
        made = await client.create_return(
            order, _chosen(can, call.subject.lines), can.reason,
            marked(f"{call.subject.reason} {call.subject.note}".strip(), call.key),
        )  # fmt: skip
        self.adapter.forget(order)
        return self._fact(made, call)

    async def lookup(self, call: StepCall) -> Fact | None:
        """Return the open return with this step's key, if there is one."""
        made = await self.adapter.client.return_under(call.subject.order.id, call.key)
        return self._fact(made, call) if made else None

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Cancel the return; one that is cancelled already stays so."""
        del fact
        order = call.subject.order.id
        made = await self.adapter.client.return_under(order, call.key)
        if made is not None:
            await self.adapter.client.cancel_return(made.id)
            self.adapter.forget(order)

    def _fact(self, made: Return, call: StepCall) -> Fact:
        return {
            "system": "shopify",
            "id": made.name,
            "rma_id": made.name,
            "order": call.subject.order.number,
            "text": text(self.adapter.ctx.language, "step.return.done", name=made.name),
        }


def _chosen(can: ReturnableAnswer, lines: tuple[ReturnLine, ...]) -> dict[str, int]:
    """Return how many pieces of which parcel's line come back. Raises `Conflict`."""
    chosen: dict[str, int] = {}
    for line in lines:
        left = line.quantity
        for one in can.of(gid("LineItem", line.line), line.sku):
            part = min(left, one.quantity - chosen.get(one.fulfillment_line_item.id, 0))
            if part > 0:
                sent = one.fulfillment_line_item.id
                chosen[sent] = chosen.get(sent, 0) + part
                left -= part
        if left:
            raise Conflict(f"of {line.title} fewer can come back than {line.quantity}")
    return chosen


def _line_refusal(order: Order, wanted: ReturnLine, language: str) -> Refusal | None:
    by_id = [one for one in order.lines if one.id == wanted.line]
    # An order that another adapter read has its own numbers for the same articles.
    by_sku = [one for one in order.lines if one.sku and one.sku == wanted.sku]
    line = next(iter(by_id or by_sku), None)
    if line is None:
        return _refused(
            "line_unknown", language, "step.return.no_line", order=order.number,
            line=wanted.line,
        )  # fmt: skip
    if line.returnable >= wanted.quantity:
        return None
    if line.note is not None:
        # The note is the contract's, in English; agents read it in their language here.
        reason = text(language, WHY.get(line.note, "why.too_late"))
        return _refused(
            "not_returnable", language, "step.return.why", title=line.title, reason=reason
        )
    return _refused(
        "returned_already", language, "step.return.too_many", title=line.title,
        left=line.returnable, wanted=wanted.quantity,
    )  # fmt: skip


def _refused(code: str, language: str, key: str, **values: object) -> Refusal:
    return Refusal(code=code, text=text(language, key, **values))
