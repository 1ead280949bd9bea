"""The border to the shop: its calls, as this adapter's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from deskhub_orders.mapping import (
    IdsAnswer,
    OrderAnswer,
    OrdersAnswer,
    ReturnAnswer,
    ReturnsAnswer,
    ShopOrder,
    ShopReturn,
)
from deskhub_sdk import BatchRefused, HttpAnswer, Money, OrderId, Rejected, ReturnLine
from deskhub_sdk.rest import Rest

MAX_BATCH = 100


class ShopClient(Rest):
    """The shop's HTTP interface with one token."""

    async def orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, ShopOrder]:
        """Return the orders that exist among at most 100 *ids*.

        Raises `BatchRefused` when the shop refuses all because of one; alone, that one counts
        as unknown, so that it cannot hide its customer's other orders.
        """
        answer = await self.read("/api/orders", {"ids": ",".join(ids)})
        if answer.status == 400 and len(ids) == 1:
            self.ctx.log.warning("order_unreadable", extra={"order": ids[0]})
            return {}
        if answer.status == 400:
            raise BatchRefused(f"the shop refused a batch of {len(ids)} orders")
        self.expect(answer, 200)
        found = self.parse(answer.body, OrdersAnswer).orders
        return {OrderId(order.id): order for order in found}

    async def orders_of(self, customers: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        """Return the order ids of at most 100 *customers*, newest first, at most 50 each."""
        asked = {"customers": ",".join(customers)}
        found = (await self.found(IdsAnswer, "/api/customers/orders", asked)).customers
        return {customer: tuple(OrderId(i) for i in ids) for customer, ids in found.items()}

    async def create_return(
        self, order: OrderId, lines: Sequence[ReturnLine], reason: str, key: str
    ) -> ShopReturn:
        """Create a return authorization under the idempotency *key*.

        Raises `Conflict` when the order changed so that this return is no longer possible,
        and `OutcomeUnknown` when nobody can tell whether it was created.
        """
        body = {
            "lines": [{"line": line.line, "quantity": line.quantity} for line in lines],
            "reason": reason,
            "reference": key,
        }
        path = f"/api/orders/{quote(order, safe='')}/returns"
        answer = await self.write(path, body, key=key, repeatable=False)
        return self.done(self._known(answer), ReturnAnswer).made

    async def return_by_reference(self, reference: str) -> ShopReturn | None:
        """Return the open authorization created under *reference*, if there is one."""
        found = await self.found(ReturnsAnswer, "/api/returns", {"reference": reference})
        return next((one for one in found.returns if one.status == "open"), None)

    async def cancel_return(self, return_id: str) -> None:
        """Cancel an authorization; one that is cancelled or gone stays so."""
        path = f"/api/returns/{quote(return_id, safe='')}/cancel"
        answer = await self.write(path, {}, repeatable=True)
        if answer.status != 404:
            self.done(answer, ReturnAnswer, 200)

    async def cancel_order(self, order: OrderId, reason: str, key: str) -> ShopOrder:
        """Cancel an order that has not left, once under the idempotency *key*.

        Raises `Conflict` when it is too late by now, `OutcomeUnknown` when nobody can tell.
        """
        body = {"reason": reason, "reference": key}
        return await self._changed(order, "cancel", body, key)

    async def replace(
        self, order: OrderId, lines: Sequence[ReturnLine], reason: str, key: str
    ) -> ShopOrder:
        """Order *lines* in place of what comes back, once under the idempotency *key*."""
        body = {
            "lines": [
                {"sku": one.sku, "title": one.title, "quantity": one.quantity,
                 "unit_price": Money.from_minor(
                     one.amount.minor // one.quantity, one.amount.currency).amount}
                for one in lines
            ],
            "reason": reason,
            "reference": key,
        }  # fmt: skip
        path = f"/api/orders/{quote(order, safe='')}/replacements"
        answer = await self.write(path, body, key=key, repeatable=True)
        return self.done(self._known(answer), OrderAnswer).order

    async def reinstate_order(self, order: OrderId, reference: str) -> None:
        """Take back the cancellation made under *reference*; without one nothing happens."""
        await self._changed(order, "reinstate", {"reference": reference}, "")

    async def _changed(
        self, order: OrderId, verb: str, body: Mapping[str, str], key: str
    ) -> ShopOrder:
        path = f"/api/orders/{quote(order, safe='')}/{verb}"
        answer = await self.write(path, body, key=key, repeatable=not key)
        return self.done(self._known(answer), OrderAnswer, 200).order

    def _known(self, answer: HttpAnswer) -> HttpAnswer:
        if answer.status == 404:
            raise Rejected(f"the shop knows no such order: {self.said(answer)}")
        return answer
