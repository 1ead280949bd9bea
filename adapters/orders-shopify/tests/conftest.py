"""A simulated Shopify, the adapter on it, and what the tests put in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from deskhub_orders_shopify import OrdersShopify, ShopifyConfig
from deskhub_orders_shopify.simulator import Shopify
from deskhub_sdk import Fact, StepCall
from deskhub_sdk.testing import GivenContext, given_context
from deskhub_sdk.testing.samples import step_call
from deskhub_sdk.testing.world import World, build_world

TOKEN, SECRET, OLD_SECRET = "shpat_token", "client-secret", "client-secret-before"


class Recording(Shopify):
    """The simulator, which also keeps what it was asked and what it answered."""

    def reset(self) -> None:
        super().reset()
        self.answered: list[tuple[str, dict[str, Any], dict[str, Any]]] = []

    def _run(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        data = super()._run(operation, variables)
        self.answered.append((operation, variables, data))
        return data


@dataclass
class Given:
    """The three together."""

    shop: Recording
    adapter: OrdersShopify
    ctx: GivenContext

    def effects(self) -> dict[str, int]:
        return {kind: sum(keys.values()) for kind, keys in self.shop.effects.items()}

    def asked(self) -> list[str]:
        return [operation for operation, _, _ in self.shop.answered]

    def fault(self, operation: str, kind: str, times: int = 1) -> None:
        self.shop.faults.add({"kind": kind, "match": f"GRAPHQL {operation}", "times": times})

    def order(self, number: str = "1042") -> dict[str, Any]:
        return self.shop.records.orders[f"gid://shopify/Order/{number}"]

    async def press(self, verb: str, **told: Any) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.shop.url}/_sim/{verb}", json=told) as answer,
        ):
            return dict(await answer.json())

    def call(
        self,
        action: str = "order.return@1",
        number: str = "1042",
        key: str = "dh_r1_step",
        facts: dict[str, Fact] | None = None,
    ) -> StepCall:
        made = step_call(self.shop.world, action, key, (), number)
        return StepCall(
            action=action, run="r1", key=key, subject=made.subject, facts=facts or {},
            customer=made.customer,
        )  # fmt: skip


@pytest.fixture(scope="session")
def world() -> World:
    return build_world()


@pytest_asyncio.fixture
async def given(world: World) -> AsyncIterator[Given]:
    async with (
        Recording(token=TOKEN, webhook_secret=SECRET, world=world).serving() as shop,
        given_context(instance="shop", timeout_s=0.6) as ctx,
    ):
        config = ShopifyConfig.model_validate(
            {**shop.settings(), "previous_webhook_secret": OLD_SECRET}
        )
        adapter = OrdersShopify(config)
        await adapter.start(ctx)
        yield Given(shop, adapter, ctx)
        await adapter.stop()


__all__ = ["OLD_SECRET", "SECRET", "TOKEN", "Given"]
