"""A simulated Stripe, the adapter on it, and what the tests put in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest_asyncio

from deskhub_payments_stripe import PaymentsStripe, StripeConfig
from deskhub_payments_stripe.simulator import StripeSimulator
from deskhub_sdk import (
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Money,
    Order,
    OrderId,
    StepCall,
    Subject,
    TenantId,
    WebhookRequest,
)
from deskhub_sdk.testing import GivenContext, Hook, given_context
from deskhub_sdk.testing.world import build_world

TOKEN, SECRET, OLD_SECRET = "rk_test_1", "whsec_now", "whsec_before"
WORLD = build_world()
AT = datetime(2026, 3, 1, tzinfo=UTC)
CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open", opened_at=AT
)  # fmt: skip


@dataclass
class Given:
    """The three together."""

    stripe: StripeSimulator
    adapter: PaymentsStripe
    ctx: GivenContext

    @property
    def refunds(self) -> int:
        return sum(self.stripe.effects.get("refund", {}).values())

    def fault(self, kind: str, match: str = "*", **wish: Any) -> None:
        self.stripe.faults.add({"kind": kind, "match": match, **wish})

    @staticmethod
    def call(*amount: str, **asked: Any) -> StepCall:
        return call(*amount, **asked)

    @staticmethod
    def arrived(hook: Hook, **changed: Any) -> WebhookRequest:
        return arrived(hook, **changed)

    async def cards(self, subject: str | None) -> Any:
        person = Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject)
        return await self.adapter.conversation_cards(CONVERSATION, person)

    async def does(self, verb: str, **wish: Any) -> None:
        """Let something happen in the dashboard or at the bank."""
        url = f"{self.stripe.url}/_sim/{verb}"
        async with aiohttp.ClientSession() as http, http.post(url, json=wish) as answer:
            assert answer.status == 200


def call(
    amount: str = "399.00", currency: str = "CNY", *, order: str = "1042",
    key: str = "dh_r1_refund", payment: str | None = None, action: str = "order.return@1",
) -> StepCall:  # fmt: skip
    about = Order(
        id=OrderId(order), number=order, customer="C-1001", status="delivered", placed_at=AT,
        updated_at=AT, version=6, total=Money("428.00", "CNY"), refunded=Money("0", "CNY"),
        lines=(), payment=payment, paid_with="Alipay",
    )  # fmt: skip
    subject = Subject(about=about, amount=Money(amount, currency), reason="damaged")
    facts = {"authorized": {"rma_id": "RMA-7001"}}
    return StepCall(action=action, run="r1", key=key, subject=subject, facts=facts)


def arrived(
    hook: Hook, *, body: bytes | None = None, at: datetime | None = None, **headers: str
) -> WebhookRequest:
    """Return *hook* as the hub hands it over, with what was changed on the way."""
    sent = {name.lower(): value for name, value in hook.headers.items()} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return WebhookRequest(
        instance="stripe", headers=sent, body=hook.body if body is None else body,
        received_at=at or datetime.now(UTC),
    )  # fmt: skip


@pytest_asyncio.fixture
async def given() -> AsyncIterator[Given]:
    async with (
        StripeSimulator(token=TOKEN, webhook_secret=SECRET, world=WORLD).serving() as stripe,
        given_context(instance="stripe", timeout_s=0.8) as ctx,
    ):
        stripe.caught = []
        settings = {**stripe.settings(), "previous_webhook_secret": OLD_SECRET}
        adapter = PaymentsStripe(StripeConfig.model_validate(settings))
        await adapter.start(ctx)
        yield Given(stripe, adapter, ctx)
        await adapter.stop()
