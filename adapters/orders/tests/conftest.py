"""A simulated shop, the adapter on it, and what the tests put in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from deskhub_orders import Orders, OrdersConfig
from deskhub_orders.simulator import ShopSimulator
from deskhub_sdk import (
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Order,
    OrderId,
    ReturnLine,
    StepCall,
    Subject,
    TenantId,
)
from deskhub_sdk.testing import GivenContext, given_context

TOKEN, SECRET, OLD_SECRET = "shop-token", "hook-secret", "hook-secret-before"


@dataclass
class Given:
    """The three together."""

    shop: ShopSimulator
    adapter: Orders
    ctx: GivenContext

    def effects(self) -> dict[str, int]:
        return {kind: sum(keys.values()) for kind, keys in self.shop.effects.items()}

    def fault(self, **wish: Any) -> None:
        self.shop.faults.add(wish)

    async def press(self, verb: str, order: str) -> dict[str, Any]:
        """Press a button of the shop's control address."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.shop.url}/_sim/{verb}", json={"order": order}) as answer,
        ):
            return dict(await answer.json())

    async def call(
        self,
        order: str = "1042",
        lines: dict[str, int] | None = None,
        key: str = "dh_r1_authorize",
    ) -> StepCall:
        found = await self.adapter.fresh(OrderId(order))
        assert found is not None
        return step_call(found, lines or {"L1": 1}, key)


def step_call(order: Order, lines: dict[str, int], key: str) -> StepCall:
    chosen = tuple(
        ReturnLine(
            line=line.id, sku=line.sku, title=line.title, quantity=lines[line.id],
            amount=line.unit_price.times(lines[line.id]),
        )
        for line in order.lines if line.id in lines
    )  # fmt: skip
    subject = Subject(about=order, lines=chosen, amount=chosen[0].amount, reason="damaged")
    return StepCall(action="order.return@1", run="r1", key=key, subject=subject, facts={})


def customer(subject: str | None) -> Customer:
    return Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject)


CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open",
    opened_at=datetime(2026, 3, 2, tzinfo=UTC),
)  # fmt: skip


@pytest.fixture(params=[{}])
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return settings beyond the required ones; override with indirect parameters."""
    return dict(request.param)


@pytest_asyncio.fixture
async def given(settings: dict[str, Any]) -> AsyncIterator[Given]:
    async with (
        ShopSimulator(token=TOKEN, webhook_secret=SECRET).serving() as shop,
        given_context(instance="orders", timeout_s=0.8) as ctx,
    ):
        config = OrdersConfig.model_validate(
            {
                "base_url": shop.url,
                "token": TOKEN,
                "webhook_secret": SECRET,
                "previous_webhook_secret": OLD_SECRET,
                **settings,
            }
        )
        adapter = Orders(config)
        await adapter.start(ctx)
        yield Given(shop, adapter, ctx)
        await adapter.stop()
