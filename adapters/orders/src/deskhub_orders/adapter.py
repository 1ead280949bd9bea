"""The shop beside the conversation: orders, live changes, and return authorizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from deskhub_orders.cancel import CancelOrder
from deskhub_orders.cards import agent_cards, live_card
from deskhub_orders.client import MAX_BATCH, ShopClient
from deskhub_orders.exchange import AuthorizeExchange, Replace
from deskhub_orders.mapping import Delivery, ShopOrder, order_in, order_of
from deskhub_orders.settings import OrdersConfig
from deskhub_orders.steps import Authorize
from deskhub_orders.texts import TEXTS, text
from deskhub_orders.webhook import signals_of, verify
from deskhub_sdk import (
    Adapter,
    Context,
    Conversation,
    Customer,
    Health,
    Loader,
    Meta,
    Order,
    OrderFacts,
    OrderId,
    Permissions,
    Signal,
    Target,
    WebhookRequest,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card

MAX_ORDERS = 50
# How many orders a customer sees live, and for how long after the last change.
MAX_LIVE = 3
LIVE_FOR = timedelta(days=7)


class Orders(Adapter[OrdersConfig]):
    """Orders by id and by customer, pushed changes, return authorizations."""

    meta = Meta(
        id="orders",
        name="Shop orders",
        sdk=">=1.0,<2",
        summary="Shows orders, keeps them live for both sides, authorizes returns.",
        permissions=Permissions(
            net=("{config.base_url}",), reads=("customer.subject",), writes=("card",)
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = OrdersConfig
    steps = (Authorize, CancelOrder, AuthorizeExchange, Replace)
    client: ShopClient
    orders: Loader[OrderId, ShopOrder]
    ids: Loader[str, Sequence[OrderId]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a shop that is down now is asked again at the next look-up."""
        await super().start(ctx)
        self.client = ShopClient(ctx, self.config, "the shop")
        ttl_s = self.config.orders_ttl_s
        self.orders = ctx.loader(self.client.orders, max_batch=MAX_BATCH, ttl_s=ttl_s)
        self.ids = ctx.loader(self.client.orders_of, max_batch=MAX_BATCH, ttl_s=ttl_s)

    async def check_connection(self) -> Health:
        """Ask the shop whether it accepts the token."""
        ready = text(self.ctx.language, "orders.healthy")
        return await self.client.health("/api/account", ready)

    @capability("orders@1")
    async def get_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        """Return the orders that exist among *ids*."""
        found = await self.orders.load_many(ids)
        return {key: self._order(shop) for key, shop in found.items() if shop is not None}

    @capability("orders@1")
    async def orders_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        """Return each customer's order ids, newest first, at most 50 each."""
        found = await self.ids.load_many(subjects)
        return {subject: tuple(ids[:MAX_ORDERS]) for subject, ids in found.items() if ids}

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the customer's orders for agents, and those under way for the customer."""
        del conversation
        if customer is None or customer.subject is None:
            return ()
        ids = (await self.orders_of([customer.subject])).get(customer.subject, ())
        found = await self.get_orders(ids)
        orders = [found[key] for key in ids if key in found]
        language, now = self.ctx.language, self.ctx.clock.now()
        live = [
            order
            for order in orders
            if order.status not in {"completed", "cancelled"}
            and now - order.updated_at < LIVE_FOR
        ]
        return (
            *agent_cards(orders, self.ctx.instance, language, now),
            *(live_card(order, language, "customer") for order in live[:MAX_LIVE]),
        )

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return the changes in a webhook that the shop signed."""
        max_age_s = self.config.webhook_max_age_s
        verify(request, self.config.webhook_secrets, max_age_s)
        delivery, signals = signals_of(request, self.ctx.instance, max_age_s)
        if signals:
            self._learn(delivery)
        return signals

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose order changed."""
        shop = order_in(signal, self.ctx.instance)
        return (Target(subject=shop.customer),) if shop else ()

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed order, live for agent and customer alike."""
        shop = order_in(signal, self.ctx.instance)
        return live_card(self._order(shop), self.ctx.language, "both") if shop else None

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what the shop says of *order*; no refund means that it keeps no account."""
        del subject
        self.orders.forget(order)
        shop = await self.orders.load(order)
        if shop is None:
            return None
        known = self._order(shop)
        returned = sum(line.returned for line in shop.lines)
        return OrderFacts(
            system="Shop",
            status=known.status,
            paid=known.total if known.payment is not None else None,
            refunded=known.refunded if known.refunded.minor else None,
            returned=returned if known.status != "returned" else None,
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.orders.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    async def fresh(self, order: OrderId) -> Order | None:
        """Return *order* as the shop has it now, whatever was kept."""
        self.orders.forget(order)
        shop = await self.orders.load(order)
        return self._order(shop) if shop else None

    def forget(self, order: OrderId) -> None:
        """Read *order* anew next time: this adapter just changed it."""
        self.orders.forget(order)

    def _order(self, shop: ShopOrder) -> Order:
        return order_of(shop, self.config.return_days, self.ctx.clock.now())

    def _learn(self, delivery: Delivery) -> None:
        """Let the next panel read what changed; *delivery* may be older than what we know."""
        self.orders.forget(OrderId(delivery.order.id))
        self.ids.forget(delivery.order.customer)
