"""A simulated WooCommerce shop, the adapter on it, and what the tests put in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest_asyncio

from deskhub_orders_woocommerce import OrdersWooCommerce, WooConfig
from deskhub_orders_woocommerce.simulator import WooSimulator
from deskhub_sdk import (
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Money,
    Order,
    OrderId,
    ReturnLine,
    StepCall,
    Subject,
    TenantId,
    WebhookRequest,
)
from deskhub_sdk.testing import GivenContext, Hook, given_context
from deskhub_sdk.testing.world import build_world

WORLD = build_world()
AT = datetime(2026, 3, 1, tzinfo=UTC)
CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open", opened_at=AT
)  # fmt: skip


@dataclass
class Given:
    """The three together."""

    sim: WooSimulator
    adapter: OrdersWooCommerce
    ctx: GivenContext

    def count(self, kind: str) -> int:
        return sum(self.sim.effects.get(kind, {}).values())

    def fault(self, kind: str, match: str = "*", **wish: Any) -> None:
        self.sim.faults.add({"kind": kind, "match": match, **wish})

    async def cards(self, subject: str | None) -> Any:
        person = Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject)
        return await self.adapter.conversation_cards(CONVERSATION, person)

    async def does(self, verb: str, **wish: Any) -> None:
        """Let something happen in the back office."""
        url = f"{self.sim.url}/_sim/{verb}"
        async with aiohttp.ClientSession() as http, http.post(url, json=wish) as answer:
            assert answer.status == 200

    @staticmethod
    def call(
        amount: str = "399.00", currency: str = "CNY", *, order: str = "1042",
        key: str = "dh_r1_step", pieces: int = 1, action: str = "order.return@1",
    ) -> StepCall:  # fmt: skip
        price = Money(amount, currency)
        about = Order(
            id=OrderId(order), number=order, customer="C-1001", status="delivered",
            placed_at=AT, updated_at=AT, version=6, total=Money("428.00", "CNY"),
            refunded=Money("0", "CNY"), lines=(), paid_with="Alipay",
        )  # fmt: skip
        line = ReturnLine(line="1", sku="TS-42", title="Shoe", quantity=pieces, amount=price)
        subject = Subject(about=about, lines=(line,), amount=price, reason="damaged")
        facts = {"authorized": {"rma_id": "R-1"}, "cancelled": {"order": order}}
        return StepCall(action=action, run="r1", key=key, subject=subject, facts=facts)

    @staticmethod
    def arrived(
        hook: Hook, *, body: bytes | None = None, at: datetime | None = None, **headers: str
    ) -> WebhookRequest:
        sent = {name.lower(): value for name, value in hook.headers.items()} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return WebhookRequest(
            instance="shop", headers=sent, body=hook.body if body is None else body,
            received_at=at or datetime.now(UTC),
        )  # fmt: skip


@pytest_asyncio.fixture
async def given() -> AsyncIterator[Given]:
    async with (
        WooSimulator(token="cs_1", world=WORLD).serving() as sim,
        given_context(instance="shop", timeout_s=0.8) as ctx,
    ):
        sim.caught = []
        adapter = OrdersWooCommerce(WooConfig.model_validate(sim.settings()))
        await adapter.start(ctx)
        yield Given(sim, adapter, ctx)
        await adapter.stop()
