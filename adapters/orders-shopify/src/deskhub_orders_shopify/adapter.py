"""Shopify beside the conversation: orders, live changes, returns, refunds, cancellations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from deskhub_orders_shopify.cancelling import CancelOrder
from deskhub_orders_shopify.cards import agent_cards, live_card
from deskhub_orders_shopify.client import (
    CUSTOMERS_A_CALL,
    MAX_BATCH,
    ORDERS_A_CALL,
    ShopifyClient,
)
from deskhub_orders_shopify.mapping import ShopOrder, number_of, order_of
from deskhub_orders_shopify.refunding import CancelRefund, GoodwillRefund, Refund
from deskhub_orders_shopify.returning import CreateReturn
from deskhub_orders_shopify.settings import ShopifyConfig
from deskhub_orders_shopify.texts import TEXTS, text
from deskhub_orders_shopify.webhook import CHANGED, signals_of, verify
from deskhub_sdk import (
    Adapter,
    AdapterError,
    AuthRequired,
    Changes,
    Context,
    Conversation,
    Customer,
    Health,
    Loader,
    Malformed,
    Meta,
    Order,
    OrderFacts,
    OrderId,
    Permissions,
    Refusal,
    Signal,
    Target,
    WebhookRequest,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card

# What a panel shows; each dozen of them is a call.
MAX_SHOWN = 12
MAX_LIVE, LIVE_FOR = 3, timedelta(days=7)
NEEDED = (
    "read_orders", "write_orders", "read_customers", "read_returns", "write_returns",
)  # fmt: skip
CANCELLABLE = frozenset({"placed", "paid", "packed"})


class OrdersShopify(Adapter[ShopifyConfig]):
    """Orders of a Shopify shop in batches by cost, pushed changes, three kinds of steps."""

    meta = Meta(
        id="orders-shopify",
        name="Shopify",
        sdk=">=1.0,<2",
        summary="Orders of a Shopify shop, live; returns, refunds and cancellations.",
        permissions=Permissions(
            net=("{config.base_url}",), reads=("customer.subject",), writes=("card",)
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = ShopifyConfig
    steps = (CreateReturn, Refund, GoodwillRefund, CancelRefund, CancelOrder)
    client: ShopifyClient
    orders: Loader[OrderId, ShopOrder]
    ids: Loader[str, Sequence[OrderId]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a shop that is down now is asked again at the next look-up."""
        await super().start(ctx)
        self.client = ShopifyClient(ctx, self.config)
        ttl_s = self.config.orders_ttl_s
        self.orders = ctx.loader(self.client.orders, max_batch=ORDERS_A_CALL, ttl_s=ttl_s)
        self.ids = ctx.loader(self.client.orders_of, max_batch=CUSTOMERS_A_CALL, ttl_s=ttl_s)

    async def check_connection(self) -> Health:
        """Ask the shop whose token it is, and whether it may do what the steps do."""
        now, language = self.ctx.clock.now(), self.ctx.language
        try:
            found = await self.client.shop()
        except AuthRequired:
            raise
        except AdapterError as error:
            return Health(ok=False, text=str(error), checked_at=now)
        has = {one.handle for one in found.current_app_installation.access_scopes}
        # Who may write may read.
        has |= {one.replace("write_", "read_", 1) for one in has}
        lacking = [one for one in NEEDED if one not in has]
        if lacking:
            told = text(language, "health.scopes", scopes=", ".join(lacking))
            return Health(ok=False, text=told, checked_at=now)
        ready = text(language, "health.ready", shop=found.shop.name)
        return Health(ok=True, text=ready, checked_at=now)

    @capability("orders@1")
    async def get_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        """Return the orders that exist among *ids*."""
        found = await self.orders.load_many(ids)
        return {key: self._order(shop) for key, shop in found.items() if shop is not None}

    @capability("orders@1")
    async def orders_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        """Return each customer's order ids, newest first, at most 50 each."""
        prefix = self.config.customer_prefix
        known = {one: one.removeprefix(prefix) for one in subjects if one.startswith(prefix)}
        found = await self.ids.load_many(known.values())
        return {one: ids for one, number in known.items() if (ids := found.get(number))}

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the customer's orders for agents, and those under way for the customer."""
        del conversation
        if customer is None or customer.subject is None:
            return ()
        ids = (await self.orders_of([customer.subject])).get(customer.subject, ())
        found = await self.get_orders(ids[:MAX_SHOWN])
        orders = [found[key] for key in ids[:MAX_SHOWN] if key in found]
        language, now = self.ctx.language, self.ctx.clock.now()
        live = [
            one
            for one in orders
            if one.status != "cancelled" and now - one.updated_at < LIVE_FOR
        ]
        return (
            *agent_cards(orders, self.ctx.instance, language, len(ids)),
            *(live_card(order, language, "customer") for order in live[:MAX_LIVE]),
        )

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return which order a webhook is about that Shopify signed for this shop."""
        config = self.config
        dedupe = verify(request, config.webhook_secrets, config.base_url)
        signals = signals_of(
            request, dedupe, self.ctx.instance, config.customer_prefix,
            config.webhook_max_age_s,
        )  # fmt: skip
        for one in signals:
            self.forget(self._id(one))
            if one.subject is not None:
                self.ids.forget(one.subject.removeprefix(config.customer_prefix))
        return signals

    @hookimpl
    async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        """Return the orders as they are now; one that is gone is left out."""
        asked = {self._id(one): one for one in signals if self._is_ours(one)}
        for order in asked:
            self.forget(order)
        found = await self.orders.load_many(asked)
        return tuple(
            self._signal(shop, asked[order].dedupe)
            for order, shop in found.items()
            if shop is not None
        )

    @hookimpl
    async def changed_since(self, since: datetime, page: str) -> Changes:
        """Return the orders that changed, a dozen a page, for what no webhook told."""
        found, following = await self.client.changed(since, page)
        signals = []
        for shop in found:
            order = OrderId(number_of(shop.id))
            self.orders.prime(order, shop)
            version = self._order(shop).version
            signals.append(self._signal(shop, f"changed:{order}@{version}"))
        return Changes(signals=tuple(signals), next=following)

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose order changed; a guest's order concerns nobody."""
        if not self._is_ours(signal) or not signal.subject:
            return ()
        return (Target(subject=signal.subject),)

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed order, live for agent and customer alike."""
        if not self._is_ours(signal) or "order" not in signal.data:
            return None
        try:
            order = msgspec.convert(signal.data["order"], Order)
        except msgspec.ValidationError as error:
            raise Malformed(f"signal {signal.dedupe}: {error}") from error
        return live_card(order, self.ctx.language, "both")

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what the shop says of *order*."""
        del subject
        known = await self.fresh(order)
        if known is None:
            return None
        return OrderFacts(
            system="Shopify",
            status=known.status,
            paid=known.total if known.payment is not None else None,
            refunded=known.refunded if known.refunded.minor else None,
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls, and what points are left."""
        stats = self.orders.stats
        points = self.client.budget.told()
        return {"loads": stats.loads, "calls": stats.calls, "points": points}

    async def fresh(self, order: OrderId) -> Order | None:
        """Return *order* as the shop has it now, whatever was kept."""
        self.orders.forget(order)
        shop = await self.orders.load(order)
        return self._order(shop) if shop else None

    def forget(self, order: OrderId) -> None:
        """Read *order* anew next time: it just changed."""
        self.orders.forget(order)

    async def too_late(self, order: Order) -> Refusal | None:
        """Return why *order* cannot be cancelled any more, or None."""
        language = self.ctx.language
        now = await self.fresh(order.id)
        if now is None:
            told = text(language, "step.unknown", order=order.number)
            return Refusal("order_unknown", told)
        if now.status in CANCELLABLE:
            return None
        status = text(language, f"shopify.status.{now.status}")
        told = text(language, "step.cancel.too_late", order=order.number, status=status)
        return Refusal("too_late", told)

    def _order(self, shop: ShopOrder, now: datetime | None = None) -> Order:
        config = self.config
        return order_of(
            shop, config.base_url.rstrip("/"), config.customer_prefix, config.return_days,
            now or self.ctx.clock.now(),
        )  # fmt: skip

    def _signal(self, shop: ShopOrder, dedupe: str) -> Signal:
        # The same change is the same signal whenever it is told.
        order = self._order(shop, shop.updated_at)
        return Signal(
            kind=CHANGED,
            dedupe=dedupe,
            object=f"{self.ctx.instance}:{order.id}",
            version=order.version,
            at=order.updated_at,
            subject=order.customer or None,
            data={"order": msgspec.to_builtins(order)},
        )

    def _id(self, signal: Signal) -> OrderId:
        return OrderId(signal.object.partition(":")[2])

    def _is_ours(self, signal: Signal) -> bool:
        return signal.kind == CHANGED and signal.object.startswith(f"{self.ctx.instance}:")
