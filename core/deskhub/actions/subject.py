"""What an action is about: read from the business system, never taken from a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from deskhub.actions.errors import ActionUnavailable
from deskhub.actions.forms import About, Problems
from deskhub.actions.ports import Setting, Surroundings
from deskhub.actions.types import ActionType
from deskhub.actions.words import money_text
from deskhub.errors import NotFound
from deskhub_sdk.errors import AdapterError
from deskhub_sdk.records import Order, OrderId, Product

READ_S = 2.0
LATEST_ORDERS = 10
JsonObject = dict[str, Any]


def talk_object(conversation: str) -> str:
    """Return the object of an action that is about a conversation itself."""
    return f"conversation:{conversation}"


class Objects:
    """Reads the orders that actions are about."""

    def __init__(self, around: Surroundings) -> None:
        """Read through *around*'s ``orders@1``."""
        self._around = around

    async def about(self, setting: Setting, kind: ActionType, object_: str) -> About:
        """Return what *kind* would be about. Raises what `order` raises."""
        link = self._around.transcript(setting)
        if kind.about == "conversation" and object_ == talk_object(setting.id):
            return About(object_, transcript=link)
        order = await self.order(setting, object_)
        if not kind.form.has_variants:
            return About(object_, order, transcript=link)
        return About(
            object_, order, transcript=link, variants=await self._variants(setting, order)
        )

    async def _variants(
        self, setting: Setting, order: Order
    ) -> Mapping[str, tuple[Product, ...]]:
        """Return what each line of *order* can be exchanged for, in the order's currency."""
        asked = self._around.variants(setting.tenant)
        ids = [line.product for line in order.lines if line.product is not None]
        if asked is None or not ids:
            return {}
        try:
            async with asyncio.timeout(READ_S):
                found = await asked.variants_of(list(dict.fromkeys(ids)))
        except (AdapterError, TimeoutError) as error:
            raise ActionUnavailable("The warehouse does not answer at the moment.") from error
        currency = order.total.currency
        return {
            line.id: tuple(one for one in many if one.price.currency == currency)
            for line in order.lines
            if line.product is not None and (many := found.get(line.product))
        }

    async def history(
        self, setting: Setting, runs_before: Sequence[JsonObject]
    ) -> tuple[JsonObject, ...]:
        """Return this customer's refunds so far, for whoever decides about another one."""
        return tuple(_history(await self.orders_here(setting), runs_before))

    async def order(self, setting: Setting, object_: str, path: str = "object") -> Order:
        """Return the order ``<instance>:<id>`` if it belongs in this conversation.

        Raises `Invalid` for another shop, an unknown order, or one that is neither the
        customer's nor linked to the conversation, `ActionUnavailable` when the shop does not
        answer.
        """
        shop = self._around.orders(setting.tenant)
        instance, _, order_id = object_.partition(":")
        problems = Problems()
        if shop is None or instance != shop[0] or not order_id:
            problems.add(path, "unknown_object", "No enabled shop knows this order.")
            problems.raise_if_any()
        try:
            found = (await self._read(setting, [OrderId(order_id)])).get(OrderId(order_id))
        except (AdapterError, TimeoutError) as error:
            raise ActionUnavailable("The shop does not answer at the moment.") from error
        if found is None:
            problems.add(path, "unknown_object", "The shop does not know this order.")
        elif object_ not in setting.links and not _is_theirs(found, setting):
            problems.add(
                path,
                "foreign_object",
                "This order is not this customer's. Link it to the conversation first.",
            )
        problems.raise_if_any()
        if found is None:
            raise NotFound(object_)
        return found

    async def orders_here(self, setting: Setting) -> Mapping[str, Order]:
        """Return the orders of this conversation by object: linked ones first, then latest.

        Empty when the shop does not answer; its card says so.
        """
        shop = self._around.orders(setting.tenant)
        if shop is None:
            return {}
        instance, capability = shop
        ids = [OrderId(x.partition(":")[2]) for x in setting.links if _is_of(x, instance)]
        try:
            subject = setting.customer.subject if setting.customer is not None else None
            if subject is not None:
                async with asyncio.timeout(READ_S):
                    theirs = await capability.orders_of([subject])
                ids += list(theirs.get(subject, ()))[:LATEST_ORDERS]
            wanted = list(dict.fromkeys(ids))
            found = await self._read(setting, wanted) if wanted else {}
        except (AdapterError, TimeoutError):
            return {}
        return {f"{instance}:{i}": found[i] for i in wanted if i in found}

    async def _read(self, setting: Setting, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        shop = self._around.orders(setting.tenant)
        if shop is None:
            return {}
        async with asyncio.timeout(READ_S):
            return await shop[1].get_orders(ids)


def _is_of(link: str, instance: str) -> bool:
    return link.startswith(f"{instance}:")


def _is_theirs(order: Order, setting: Setting) -> bool:
    return setting.customer is not None and order.customer == setting.customer.subject


def _history(
    orders: Mapping[str, Order], runs_before: Sequence[JsonObject]
) -> list[JsonObject]:
    """Return what went back before: what the shop says of each order, then our own runs."""
    shop = [
        {
            "text": f"Order #{order.number}: {money_text(order.refunded)} refunded",
            "at": None,
            "object": object_,
        }
        for object_, order in orders.items()
        if order.refunded.minor
    ]
    return [*shop, *runs_before]
