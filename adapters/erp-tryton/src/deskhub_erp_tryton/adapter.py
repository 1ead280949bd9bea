"""Tryton beside the conversation: orders with their state, stock, and a part in returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from deskhub_erp_tryton.cards import changed_card, sales_card
from deskhub_erp_tryton.client import MAX_ADDRESS, MAX_BATCH, TrytonClient
from deskhub_erp_tryton.mapping import Item, Sale, product_of
from deskhub_erp_tryton.polling import CHANGED, Poller
from deskhub_erp_tryton.returning import AwaitGoods, ExpectReturn, PostCreditNote
from deskhub_erp_tryton.settings import TrytonConfig
from deskhub_erp_tryton.texts import TEXTS, text
from deskhub_erp_tryton.wire import address_chars, money
from deskhub_sdk import (
    Adapter,
    AdapterError,
    Context,
    Conversation,
    Customer,
    Health,
    Loader,
    Meta,
    Money,
    OrderFacts,
    OrderId,
    Permissions,
    Product,
    ProductId,
    Signal,
    Target,
    Unavailable,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card


class ErpTryton(Adapter[TrytonConfig]):
    """Orders and products of a Tryton in batches; returns with shipment and credit note."""

    meta = Meta(
        id="erp-tryton",
        name="Tryton",
        sdk=">=1.0,<2",
        summary="Orders and stock of a Tryton ERP; returns with parcel and credit note.",
        permissions=Permissions(
            net=("{config.base_url}",), reads=("customer.subject",), writes=("card",)
        ),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = TrytonConfig
    steps = (ExpectReturn, AwaitGoods, PostCreditNote)
    client: TrytonClient
    products: Loader[str, Item]
    sales: Loader[str, Sale]
    bought: Loader[str, Sequence[Sale]]

    async def start(self, ctx: Context) -> None:
        """Learn whose books these are; a Tryton that is down is asked again later."""
        await super().start(ctx)
        client = self.client = TrytonClient(ctx, self.config)
        size: dict[str, Any] = {
            "max_batch": MAX_BATCH, "cost": address_chars, "max_cost": MAX_ADDRESS,
        }  # fmt: skip
        self.products = ctx.loader(client.products, **size)
        self.sales = ctx.loader(client.sales, **size)
        self.bought = ctx.loader(client.sales_of, **size)
        with suppress(Unavailable):
            await client.learn()
        self._poller = Poller(ctx, client, self.config.poll_s)
        ctx.tasks.start(self._poller.run(), name="poll")

    async def stop(self) -> None:
        """End the polling."""
        await self._poller.stop()

    async def check_connection(self) -> Health:
        """Ask Tryton whose books the key can see."""
        now = self.ctx.clock.now()
        try:
            company = await self.client.ask_company()
        except AdapterError as error:
            return Health(ok=False, text=str(error), checked_at=now)
        ready = text(self.ctx.language, "health.ready", company=company.rec_name)
        return Health(ok=True, text=ready, checked_at=now)

    @capability("products@1")
    async def get_products(self, ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products among *ids*, which are codes or identifiers."""
        found = await self.products.load_many(ids)
        currency = self.client.currency
        return {
            ProductId(key): product_of(key, item, currency)
            for key, item in found.items()
            if item is not None
        }

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return *customer*'s latest orders as the ERP sees them."""
        if customer is None or customer.subject is None:
            return ()
        sales = await self.bought.load(customer.subject)
        if not sales:
            return ()
        now = self.ctx.clock.now()
        return (sales_card(customer.subject, sales, self.ctx.language, now),)

    @hookimpl
    async def find_conversations(self, signal: Signal) -> Sequence[Target]:
        """Return the customer whose order changed."""
        if not self._is_ours(signal) or signal.subject is None:
            return ()
        return (Target(subject=signal.subject),)

    @hookimpl
    async def signal_card(self, signal: Signal) -> Card | None:
        """Return the changed order for agents."""
        return changed_card(signal, self.ctx.language) if self._is_ours(signal) else None

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what the books say of *order*: state, what came back, what was credited."""
        del subject
        sale = (await self.client.sales([order])).get(order)
        if sale is None:
            return None
        returns = [one for one in await self.client.returns_of(sale.id) if not one.is_given_up]
        notes = [
            note
            for one in returns
            for note in one.invoices
            if note.state != "cancelled"
        ]  # fmt: skip
        credited = -sum(money(note.total_amount, sale.money).minor for note in notes)
        pieces = -sum(int(line.quantity or 0) for one in returns for line in one.lines)
        return OrderFacts(
            system="Tryton",
            status=sale.state,
            credited=Money.from_minor(credited, sale.money) if notes else None,
            returned=pieces if returns else None,
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls, and how far polling is."""
        loaders: dict[str, Loader[str, Any]] = {"products": self.products, "sales": self.sales}
        counted = {
            name: {"loads": one.stats.loads, "calls": one.stats.calls}
            for name, one in loaders.items()
        }
        return {**counted, "polled": self._poller.told()}

    def _is_ours(self, signal: Signal) -> bool:
        return signal.kind == CHANGED and signal.object.startswith(f"{self.ctx.instance}:")
