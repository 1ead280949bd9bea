"""A simulated payment provider, the adapter on it, and what the tests put in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from deskhub_payments import Payments, PaymentsConfig
from deskhub_payments.simulator import PaymentsSimulator
from deskhub_sdk import (
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Money,
    Order,
    OrderId,
    OrderLine,
    ReturnLine,
    StepCall,
    Subject,
    TenantId,
)
from deskhub_sdk.testing import GivenContext, given_context

TOKEN, SECRET, OLD_SECRET = "pay-token", "hook-secret", "hook-secret-before"


@dataclass
class Given:
    """The three together."""

    provider: PaymentsSimulator
    adapter: Payments
    ctx: GivenContext

    def effects(self) -> dict[str, int]:
        return {kind: sum(keys.values()) for kind, keys in self.provider.effects.items()}

    def fault(self, **wish: Any) -> None:
        self.provider.faults.add(wish)

    async def cards(self, subject: str | None) -> Any:
        person = Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject)
        return await self.adapter.conversation_cards(CONVERSATION, person)


CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open",
    opened_at=datetime(2026, 3, 2, tzinfo=UTC),
)  # fmt: skip


def step_call(
    order: str = "1042",
    amount: str = "399.00",
    currency: str = "CNY",
    key: str = "dh_r1_refund",
) -> StepCall:
    price = Money(amount, currency)
    line = OrderLine(id="L1", sku="TS-42", title="Trail Shoe 42", quantity=1, unit_price=price)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    subject = Subject(
        about=Order(
            id=OrderId(order), number=order, customer="C-1001", status="delivered",
            placed_at=at, updated_at=at, version=6, total=Money("428.00", "CNY"),
            refunded=Money("0", "CNY"),
            lines=(line,), payment=f"pay_{order}", paid_with="Alipay",
        ),
        lines=(ReturnLine(line="L1", sku="TS-42", title="Shoe", quantity=1, amount=price),),
        amount=price,
        reason="damaged",
    )  # fmt: skip
    facts = {"authorized": {"rma_id": "RMA-7001"}}
    return StepCall(action="order.return@1", run="r1", key=key, subject=subject, facts=facts)


@pytest_asyncio.fixture
async def given() -> AsyncIterator[Given]:
    async with (
        PaymentsSimulator(token=TOKEN, webhook_secret=SECRET).serving() as provider,
        given_context(instance="payments", timeout_s=0.8) as ctx,
    ):
        config = PaymentsConfig.model_validate(
            {
                "base_url": provider.url,
                "token": TOKEN,
                "webhook_secret": SECRET,
                "previous_webhook_secret": OLD_SECRET,
            }
        )
        adapter = Payments(config)
        await adapter.start(ctx)
        yield Given(provider, adapter, ctx)
        await adapter.stop()


@pytest.fixture
def call() -> Callable[..., StepCall]:
    """Return how tests build the call of a step."""
    return step_call
