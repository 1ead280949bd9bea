"""The ERP beside the conversation: stock of what was bought, and two parts of a return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, SecretStr

from deskhub_erp.cards import stock_card
from deskhub_erp.client import MAX_BATCH, ErpClient
from deskhub_erp.exchange import CreditDifference, ExpectExchanged, SetAside
from deskhub_erp.mapping import Article, product_of
from deskhub_erp.more_steps import AwaitGoods, CreditGoodwill
from deskhub_erp.steps import DraftCreditNote, ExpectReceipt
from deskhub_erp.texts import TEXTS, text
from deskhub_erp.webhook import signals_of
from deskhub_sdk import (
    Adapter,
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
    ReturnLine,
    Signal,
    WebhookRequest,
    capability,
    hookimpl,
)
from deskhub_sdk.cards import Card
from deskhub_sdk.rest import RestConfig


class ErpConfig(RestConfig):
    """Where the ERP is, an application key, and where returned goods and money are booked."""

    token: SecretStr = Field(description="An application key that may announce receipts.")
    webhook_secret: SecretStr | None = Field(
        default=None, description="The secret that booked receipts are signed with."
    )
    webhook_max_age_s: float = Field(
        default=300.0, gt=0, le=86_400, description="How old a webhook may be, either way."
    )
    goods_days: int = Field(
        default=14, ge=1, le=365, description="Days in which a returned parcel is awaited."
    )
    hold_hours: int = Field(
        default=48, ge=1, le=720, description="Hours for which a replacement is set aside."
    )
    place: str = Field(
        default="Hangzhou", min_length=1, max_length=60, description="Warehouse."
    )
    carrier: str = Field(
        default="SF Express", min_length=1, max_length=60, description="Carrier."
    )
    account: str = Field(default="2203", pattern=r"^[0-9]{3,8}$", description="Credit account.")


class Erp(Adapter[ErpConfig]):
    """Products in batches, expected receipts, credit notes."""

    meta = Meta(
        id="erp",
        name="Warehouse and accounting",
        sdk=">=1.0,<2",
        summary="Shows stock and batches; announces returned goods and drafts credit notes.",
        permissions=Permissions(net=("{config.base_url}",), reads=("customer.subject",)),
        max_batch=MAX_BATCH,
        texts=TEXTS,
    )
    config_model = ErpConfig
    steps = (
        ExpectReceipt, DraftCreditNote, CreditGoodwill, AwaitGoods,
        SetAside, ExpectExchanged, CreditDifference,
    )  # fmt: skip
    client: ErpClient
    articles: Loader[str, Article]
    bought: Loader[str, Sequence[str]]
    variants: Loader[str, Sequence[Article]]

    async def start(self, ctx: Context) -> None:
        """Prepare the client; an ERP that is down is asked again at the next look-up."""
        await super().start(ctx)
        self.client = ErpClient(ctx, self.config, "the ERP")
        self.articles = ctx.loader(self.client.articles, max_batch=MAX_BATCH)
        self.bought = ctx.loader(self.client.sold_to, max_batch=MAX_BATCH)
        self.variants = ctx.loader(self.client.variants, max_batch=MAX_BATCH)

    async def check_connection(self) -> Health:
        """Ask the ERP which company this key belongs to."""
        ready = text(self.ctx.language, "health.ready")
        return await self.client.health("/api/company", ready)

    @capability("products@1")
    async def get_products(self, ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        """Return the products that exist among *ids*."""
        found = await self.articles.load_many(ids)
        return {
            ProductId(article.id): product_of(article)
            for article in found.values()
            if article is not None
        }

    @capability("variants@1")
    async def variants_of(
        self, ids: Sequence[ProductId]
    ) -> Mapping[ProductId, Sequence[Product]]:
        """Return the model of each product in every size and colour."""
        found = await self.variants.load_many(ids)
        return {
            ProductId(key): tuple(map(product_of, many))
            for key, many in found.items()
            if many is not None
        }

    @hookimpl
    async def conversation_cards(
        self, conversation: Conversation, customer: Customer | None
    ) -> Sequence[Card]:
        """Return the stock of what *customer* bought, or nothing when they bought nothing."""
        if customer is None or customer.subject is None:
            return ()
        articles = await self._bought_by(customer.subject)
        if not articles:
            return ()
        now = self.ctx.clock.now()
        return (stock_card(customer.subject, articles, self.ctx.language, now),)

    @hookimpl
    async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
        """Return the receipts that were booked: what a return may wait for."""
        secret = self.config.webhook_secret
        key = "" if secret is None else secret.get_secret_value()
        return signals_of(request, key, self.config.webhook_max_age_s, self.ctx.instance)

    @hookimpl
    async def order_facts(self, order: OrderId, subject: str | None) -> OrderFacts | None:
        """Return what is expected and credited for *order*, or None when nothing ever was."""
        del subject
        receipts, notes = await self.client.of_order(order)
        receipts = [one for one in receipts if one.state != "cancelled"]
        notes = [one for one in notes if one.state != "cancelled"]
        if not receipts and not notes:
            return None
        credited = None
        if notes:
            minor = sum(Money(one.amount, one.currency).minor for one in notes)
            credited = Money.from_minor(minor, notes[0].currency)
        pieces = sum(line.quantity for one in receipts for line in one.lines)
        return OrderFacts(
            system="Warehouse and accounting",
            status=receipts[-1].state if receipts else None,
            credited=credited,
            returned=pieces if receipts else None,
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return how many look-ups became how many calls."""
        stats = self.articles.stats
        return {"loads": stats.loads, "calls": stats.calls, "failed": stats.failed}

    async def by_sku(self, customer: str, lines: Sequence[ReturnLine]) -> Mapping[str, Article]:
        """Return the articles of *lines* among what *customer* bought, by SKU."""
        wanted = {line.sku for line in lines}
        return {one.sku: one for one in await self._bought_by(customer) if one.sku in wanted}

    async def _bought_by(self, customer: str) -> list[Article]:
        """Return what *customer* bought; one look-up a product, a few calls in all."""
        ids = await self.bought.load(customer) or ()
        found = await self.articles.load_many(ids)
        return [article for article in found.values() if article is not None]
