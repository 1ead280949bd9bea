"""What this adapter asks a shop for and changes in it, by the documents that it may send."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from deskhub_orders_shopify import documents as docs
from deskhub_orders_shopify.answers import (
    Cancellable,
    Cancelled,
    CancelledReturn,
    CancelOrderAnswer,
    ChangedAnswer,
    CreateReturnAnswer,
    CustomersAnswer,
    LinesAnswer,
    MoneyAnswer,
    NodesAnswer,
    OrderMoney,
    Refund,
    RefundAnswer,
    Return,
    ReturnableAnswer,
    ReturnsAnswer,
    ShopAnswer,
)
from deskhub_orders_shopify.graphql import NULL, GraphQL, refused
from deskhub_orders_shopify.mapping import RETURNING, Node, ShopOrder, gid, is_number, number_of
from deskhub_sdk import Malformed, Money, OrderId, OutcomeUnknown, Rejected
from deskhub_sdk.rest import Wire

# Both keep a call under the 1,000 points that one query may cost.
ORDERS_A_CALL = 12
CUSTOMERS_A_CALL = 19
# What the kit counts with: an order of more than twenty lines takes a call more.
MAX_BATCH = 10
LINE_PAGES = 5
FEW = 2
MARK = "deskhub:"
W = TypeVar("W", bound=Wire)


class ShopifyClient(GraphQL):
    """The shop's orders, returns and refunds."""

    async def shop(self) -> ShopAnswer:
        """Return the shop's name and what the token may do."""
        return await self.ask(docs.SHOP, ShopAnswer)

    async def orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, ShopOrder]:
        """Return the orders that exist among at most 12 *ids*.

        An id without an order is null at its place; one that is no number would fail the
        whole query and is not sent.
        """
        wanted = [gid("Order", one) for one in ids if is_number(one)]
        if not wanted:
            return {}
        answer = await self.ask(docs.ORDERS, NodesAnswer, {"ids": wanted}, ids=len(wanted))
        found: dict[OrderId, ShopOrder] = {}
        for raw in answer.nodes:
            if bytes(raw) != bytes(NULL) and _kind(raw) == "Order":
                # What is on open returns is dear to ask, so a panel does without: a step
                # asks before it does anything.
                shop = await self.completed(_as(raw, ShopOrder), returns=len(wanted) <= FEW)
                found[OrderId(number_of(shop.id))] = shop
        return found

    async def completed(self, shop: ShopOrder, *, returns: bool) -> ShopOrder:
        """Return *shop* with all its lines; with *returns*, what is on open ones taken off."""
        lines, page = [*shop.line_items.nodes], shop.line_items.page_info
        for _ in range(LINE_PAGES):
            if not page.has_next_page:
                break
            more = await self.ask(
                docs.LINES, LinesAnswer, {"id": shop.id, "after": page.end_cursor}
            )
            if more.order is None:
                break
            lines += more.order.line_items.nodes
            page = more.order.line_items.page_info
        whole = msgspec.structs.replace(shop.line_items, nodes=tuple(lines), page_info=page)
        shop = msgspec.structs.replace(shop, line_items=whole)
        if returns and shop.return_status in RETURNING:
            answer = await self.ask(docs.RETURNABLE, ReturnableAnswer, {"id": shop.id})
            shop = msgspec.structs.replace(shop, returnable=answer.by_line())
        return shop

    async def orders_of(self, customers: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        """Return the order ids of at most 19 *customers*, newest first, at most 50 each."""
        wanted = {gid("Customer", one): one for one in customers if is_number(one)}
        if not wanted:
            return {}
        answer = await self.ask(
            docs.CUSTOMERS, CustomersAnswer, {"ids": list(wanted)}, ids=len(wanted)
        )
        return {
            wanted[one.id]: tuple(OrderId(number_of(each.id)) for each in one.orders.nodes)
            for one in answer.nodes
            if one is not None and one.id in wanted
        }

    async def changed(self, since: datetime, after: str) -> tuple[Sequence[ShopOrder], str]:
        """Return a page of the orders changed *since*, oldest first, and where it goes on."""
        query = f"updated_at:>='{since.strftime('%Y-%m-%dT%H:%M:%SZ')}'"
        answer = await self.ask(
            docs.CHANGED, ChangedAnswer, {"query": query, "after": after or None}
        )
        found = [await self.completed(one, returns=False) for one in answer.orders.nodes]
        page = answer.orders.page_info
        return found, (page.end_cursor or "") if page.has_next_page else ""

    async def returnable(self, order: OrderId) -> ReturnableAnswer:
        """Return which pieces of *order* can come back, as Shopify sees it."""
        return await self.surely(docs.RETURNABLE, ReturnableAnswer, {"id": gid("Order", order)})

    async def return_under(self, order: OrderId, key: str) -> Return | None:
        """Return the open return of *order* that was created under *key*."""
        answer = await self.surely(docs.RETURNS, ReturnsAnswer, {"id": gid("Order", order)})
        if answer.order is None:
            return None
        open_ones = (one for one in answer.order.returns.nodes if one.is_open)
        return next((one for one in open_ones if is_marked(one.note, key)), None)

    async def create_return(
        self, order: OrderId, lines: Mapping[str, int], reason: str | None, note: str
    ) -> Return:
        """Create a return of fulfillment *lines*; each carries *note*, which names the key.

        Shopify takes no idempotency key here: look for the key first.
        """
        chosen = [
            {"fulfillmentLineItemId": line, "quantity": quantity, "returnReasonNote": note}
            | ({"returnReasonDefinitionId": reason} if reason else {})
            for line, quantity in lines.items()
        ]
        told = {"orderId": gid("Order", order), "returnLineItems": chosen}
        answer = (
            await self.change(docs.CREATE_RETURN, CreateReturnAnswer, {"input": told})
        ).made
        refused(answer.user_errors)
        if answer.made is None:
            raise OutcomeUnknown("Shopify answered no return and no error")
        return answer.made

    async def cancel_return(self, made: str) -> None:
        """Cancel the return *made*. Raises `Rejected` once goods or money have moved."""
        answer = (await self.change(docs.CANCEL_RETURN, CancelledReturn, {"id": made})).done
        refused(answer.user_errors)

    async def money_of(self, order: OrderId) -> OrderMoney | None:
        """Return the payments and refunds of *order*."""
        answer = await self.surely(docs.MONEY, MoneyAnswer, {"id": gid("Order", order)})
        if answer.order is not None and len(answer.order.refunds) >= docs.REFUNDS:
            raise Rejected(f"order {order} has more refunds than can be looked through")
        return answer.order

    async def refund(
        self, order: OrderId, parts: Sequence[Mapping[str, object]], amount: Money, *,
        note: str, key: str,
    ) -> Refund:  # fmt: skip
        """Refund *amount* in *parts*, once under *key*. Raises `OutcomeUnknown` in doubt."""
        told = {
            "orderId": gid("Order", order), "note": note, "currency": amount.currency,
            "notify": False, "transactions": parts,
        }  # fmt: skip
        answer = await self.change(
            docs.REFUND, RefundAnswer, {"key": shop_key(key), "input": told}
        )
        refused(answer.made.user_errors)
        if answer.made.refund is None:
            raise OutcomeUnknown("Shopify answered no refund and no error")
        return answer.made.refund

    async def cancellation(self, order: OrderId) -> Cancellable | None:
        """Return whether *order* is cancelled, and with which note."""
        return (
            await self.surely(docs.CANCELLATION, Cancelled, {"id": gid("Order", order)})
        ).order

    async def cancel_order(self, order: OrderId, reason: str, note: str) -> bool:
        """Begin to cancel *order*, without a refund; return whether it is done already."""
        answer = await self.change(
            docs.CANCEL_ORDER, CancelOrderAnswer,
            {"id": gid("Order", order), "reason": reason, "note": note},
        )  # fmt: skip
        refused(answer.done.errors)
        return answer.done.job is not None and answer.done.job.done


def shop_key(key: str) -> str:
    """Return *key* as the UUID that Shopify recommends; the same key is the same UUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, MARK + key))


def marked(text: str, key: str, most: int = 255) -> str:
    """Return *text* with the mark of *key* at its end, at most *most* characters."""
    mark = f"{MARK}{key}"
    return f"{text[: most - len(mark) - 1]} {mark}".strip()


def is_marked(note: str | None, key: str) -> bool:
    """Return whether *note* carries the mark of exactly this *key*."""
    return f"{MARK}{key}" in (note or "").split()


class _Kind(Node, frozen=True):
    kind: str = msgspec.field(name="__typename")


def _kind(raw: msgspec.Raw) -> str:
    return _as(raw, _Kind).kind


def _as(raw: msgspec.Raw, shape: type[W]) -> W:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.DecodeError as error:
        raise Malformed(f"Shopify's answer is not as documented: {error}") from error
