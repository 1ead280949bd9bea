"""A WooCommerce shop beside the conversation: orders, their changes, returns, refunds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from deskhub_orders_woocommerce.cards import agent_cards, live_card
from deskhub_orders_woocommerce.client import API, AT_ONCE, MAX_BATCH, PAGE, WooClient
from deskhub_orders_woocommerce.mapping import (
    WooOrder,
    order_in,
    order_of,
    refunded,
    returned,
    signal_of,
)
from deskhub_orders_woocommerce.settings import WooConfig
from deskhub_orders_woocommerce.steps import (
    AcceptReturn,
    CancelOrder,
    RefundCancelled,
    RefundGoodwill,
    RefundReturn,
)
from deskhub_orders_woocommerce.texts import TEXTS, text
from deskhub_orders_woocommerce.webhook import signals_in
from deskhub_sdk import (
    Adapter,
    Changes,
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

ADMIN = "/wp-admin/admin.php?page=wc-orders&action=edit&id={id}"
MAX_LIVE = 3
LIVE_FOR = timedelta(days=7)


class OrdersWooCommerce(Adapter[WooConfig]):
    """Orders of a WooCommerce shop, followed live; returns, cancellations and refunds."""

    meta = Meta(
        id="orders-woocommerce",
        name="WooCommerce",
        sdk=">=1.0,<2",
        summary="Orders of a WooCommerce shop, live for both sides; returns and refunds.",
        permissions=Permissions(
            net=("{config.base_url}",), reads=("customer.subject",), writes=("card",)
        ),
        # Orders are read a hundred at a time; whose they are can only be asked one by one.
        max_batch=1,
        texts=TEXTS,
    )
    config_model = WooConfig
    steps = (AcceptReturn, CancelOrder, RefundReturn, RefundGoodwill, RefundCancelled)
    client: WooClient
    orders: Loader[OrderId, WooOrder]
    ids: Loader[str, Sequence[OrderId]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; a shop that is down now is asked again at the next look-up."""
        await super().start(ctx)
        self.client = WooClient(ctx, self.config)
        ttl_s = self.config.orders_ttl_s
        self.orders = ctx.loader(self.client.orders, max_batch=MAX_BATCH, ttl_s=ttl_s)
        self.ids = ctx.loader(self.client.orders_of, max_batch=AT_ONCE, ttl_s=ttl_s)

    async def check_connection(self) -> Health:
        """Ask the shop for one order, which is what the key is for."""
        ready = text(self.ctx.language, "woo.healthy")
        return await self.client.health(f"{API}/orders?per_page=1&_fields=id", ready)

    @capability("orders@1")
    async def get_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        """Return the orders that exist among *ids*."""
        found = await self.orders.load_many(ids)
        return {key: self._order(woo) for key, woo in found.items() if woo is not None}

    @capability("orders@1")
    async def orders_of(self, subjects: Sequence[str]) -> Mapping[str, Sequence[OrderId]]:
        """Return each customer's order ids, newest first, at most 50 each."""
        found = await self.ids.load_many(subjects)
        return {subject: ids for subject, ids in found.items() if ids}

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the customer's orders for agents, and those under way for the customer."""
        if customer is None or customer.subject is None:
            return ()
        ids = (await self.orders_of([customer.subject])).get(customer.subject, ())
        found = await self.get_orders(ids)
        orders = [found[one] for one in ids if one in found]
        language, now = self.ctx.language, self.ctx.clock.now()
        live = [
            order
            for order in orders
            if order.status not in {"completed", "cancelled", "returned"}
            and now - order.updated_at < LIVE_FOR
        ]
        admin = self.config.base_url.rstrip("/") + ADMIN
        return (
            *agent_cards(orders, self.ctx.instance, language, admin),
            *(live_card(order, language, "customer") for order in live[:MAX_LIVE]),
        )

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return which order to read again, if the shop signed the webhook."""
        config = self.config
        return signals_in(
            request, self.ctx.instance, config.webhook_secrets, config.webhook_max_age_s
        )

    @hookimpl
    async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        """Return each order as it stands, in one call; one in the bin is left out."""
        ids = [OrderId(one.object.partition(":")[2]) for one in signals]
        found = await self.client.orders(ids)
        for woo in found.values():
            self._learn(woo)
        return [self._signal(woo) for woo in found.values()]

    @hookimpl
    async def changed_since(self, since: datetime, page: str) -> Changes:
        """Return the orders that changed since *since*: the shop never repeats a webhook."""
        number = int(page or "1")
        found = await self.client.changed(since, number)
        for woo in found:
            self._learn(woo)
        more = str(number + 1) if len(found) == PAGE else ""
        return Changes(signals=tuple(self._signal(woo) for woo in found), next=more)

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose order changed; guests have no number."""
        woo = order_in(signal, self.ctx.instance)
        return (Target(subject=self._customer(woo)),) if woo and woo.customer_id else ()

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed order, live for agent and customer alike."""
        woo = order_in(signal, self.ctx.instance)
        return live_card(self._order(woo), self.ctx.language, "both") if woo else None

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what the shop says of *order*."""
        woo = await self.read(order)
        if woo is None:
            return None
        known = self._order(woo)
        back = refunded(woo)
        return OrderFacts(
            system="WooCommerce",
            status=known.status,
            paid=known.total if woo.date_paid_gmt else None,
            refunded=back if back.minor else None,
            returned=sum(returned(woo).values()) or None,
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.orders.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    async def read(self, order: OrderId) -> WooOrder | None:
        """Return *order* as the shop has it now, whatever was kept."""
        self.orders.forget(order)
        return await self.orders.load(order)

    async def fresh(self, order: OrderId) -> Order | None:
        """Return *order* as the contract's record, as the shop has it now."""
        woo = await self.read(order)
        return self._order(woo) if woo is not None else None

    def forget(self, order: OrderId) -> None:
        """Read *order* anew next time: this adapter just changed it."""
        self.orders.forget(order)

    def _learn(self, woo: WooOrder) -> None:
        self.orders.forget(OrderId(str(woo.id)))
        self.ids.forget(self._customer(woo))

    def _order(self, woo: WooOrder) -> Order:
        days, now = self.config.return_days, self.ctx.clock.now()
        return order_of(woo, self._customer(woo) if woo.customer_id else "", days, now)

    def _signal(self, woo: WooOrder) -> Signal:
        customer = self._customer(woo) if woo.customer_id else None
        return signal_of(woo, self.ctx.instance, customer)

    def _customer(self, woo: WooOrder) -> str:
        return self.config.number_of(woo.customer_id)
