"""The border to a WooCommerce shop: its REST interface v3, with a key's two halves."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from deskhub_orders_woocommerce.mapping import Numbered, Refund, WooOrder, money
from deskhub_orders_woocommerce.settings import WooConfig
from deskhub_sdk import (
    Context,
    HttpAnswer,
    Malformed,
    Money,
    NeedsPerson,
    NotFound,
    OrderId,
    OutcomeUnknown,
    Rejected,
)
from deskhub_sdk.rest import Rest, Wire

API = "/wp-json/wc/v3"
MAX_BATCH = 100
# Orders of several customers cannot be asked for in one call, only side by side.
AT_ONCE = 10
MAX_OF_CUSTOMER = 50
PAGE, MAX_PAGES = 100, 10

W = TypeVar("W", bound=Wire)


class WooClient(Rest):
    """Orders by id in batches, by customer one by one; changes by merging what is sent."""

    def __init__(self, ctx: Context, config: WooConfig) -> None:
        """Call the shop of *config* with basic authorization, which it takes over TLS only."""
        super().__init__(ctx, config, "the shop")
        pair = f"{config.consumer_key}:{config.token.get_secret_value()}"
        self._headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        self._config = config

    async def orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, WooOrder]:
        """Return at most 100 orders by id; the shop silently leaves out what is not there.

        What is no number is not asked for: the shop would refuse the whole batch.
        """
        wanted = [one for one in ids if one.isascii() and one.isdigit() and len(one) < 19]
        if not wanted:
            return {}
        asked = {"include": ",".join(wanted), "per_page": str(MAX_BATCH)}
        found = await self._listed(WooOrder, f"{API}/orders", asked)
        return {OrderId(str(one.id)): one for one in found}

    async def orders_of(self, customers: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        """Return the ids of each customer's latest orders, newest first, at most 50."""
        numbers = {one: self._config.customer_of(one) for one in customers}
        try:
            async with asyncio.TaskGroup() as group:
                asked = {
                    one: group.create_task(self._of(number))
                    for one, number in numbers.items()
                    if number is not None
                }
        except BaseExceptionGroup as broken:
            raise broken.exceptions[0] from None
        return {one: task.result() for one, task in asked.items()}

    async def changed(self, since: datetime, page: int) -> Sequence[WooOrder]:
        """Return a page of the orders that changed after *since*."""
        at = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        asked = {
            "modified_after": at, "dates_are_gmt": "true", "per_page": str(PAGE),
            "page": str(page),
        }  # fmt: skip
        return await self._listed(WooOrder, f"{API}/orders", asked)

    async def change(self, order: OrderId, **fields: object) -> WooOrder:
        """Merge *fields* into an order and return it; the same again changes nothing more."""
        answer = await self.write(
            f"{API}/orders/{order}", fields, method="PUT", repeatable=True,
            timeout_s=self._config.write_timeout_s,
        )  # fmt: skip
        if answer.status == 404:
            raise Rejected(f"the shop knows no order {order}")
        return self.done(answer, WooOrder, 200)

    async def refunds_of(self, order: OrderId) -> Sequence[Refund]:
        """Return every refund of *order*. Raises `NeedsPerson` beyond a thousand."""
        found: list[Refund] = []
        for page in range(1, MAX_PAGES + 1):
            asked = {"per_page": str(PAGE), "page": str(page)}
            try:
                more = await self._listed(Refund, f"{API}/orders/{order}/refunds", asked)
            except NotFound:
                return ()
            found += more
            if len(more) < PAGE:
                return found
        raise NeedsPerson(f"order {order} has more refunds than can be looked through")

    async def refund(self, order: OrderId, amount: Money, *, reason: str, key: str) -> Refund:
        """Refund *amount* with *key* in the reason. The shop knows no keys: look up first.

        The reason is stored before the gateway moves money; other data of a refund are
        stored after it, too late for a mark. Refusals arrive as 500, which says nothing.
        """
        body = {
            "amount": amount.amount, "reason": f"{reason[:150]} {mark(key)}",
            "api_refund": self._config.refund_payment, "api_restock": False,
        }  # fmt: skip
        answer = await self.write(
            f"{API}/orders/{order}/refunds", body, repeatable=False,
            timeout_s=self._config.write_timeout_s,
        )  # fmt: skip
        if answer.status == 404:
            raise Rejected(f"the shop knows no order {order}")
        # A page of a cache or a guard before the shop comes with 200 and is not its answer.
        made = self.done(answer, Refund, 200 if answer.status == 200 else 201)
        if (
            mark(key) not in (made.reason or "")
            or money(made.amount, amount.currency) != amount
        ):
            raise OutcomeUnknown(f"the shop answered with another refund: {made.id}")
        return made

    def said(self, answer: HttpAnswer) -> str:
        """Return WordPress's code before its message, which is in the shop's language."""
        try:
            told = answer.json()
        except Malformed:
            return ""
        code = told.get("code", "") if isinstance(told, dict) else ""
        return f"{code}: {super().said(answer)}" if code else super().said(answer)

    async def _of(self, customer: int) -> Sequence[OrderId]:
        asked = {"customer": str(customer), "per_page": str(MAX_OF_CUSTOMER), "_fields": "id"}
        found = await self._listed(Numbered, f"{API}/orders", asked)
        return tuple(OrderId(str(one.id)) for one in found)

    async def _listed(self, shape: type[W], path: str, asked: Mapping[str, str]) -> list[W]:
        """Return a list, which WordPress answers bare."""
        answer = await self.read(path, asked)
        self.expect(answer, 200)
        try:
            return msgspec.json.decode(answer.body, type=list[shape])  # type: ignore[valid-type]  # a type at run time
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Malformed(f"the shop's answer is not as documented: {error}") from error


def mark(key: str) -> str:
    """Return how a step's *key* stands in a refund's reason."""
    return f"[{key}]"
