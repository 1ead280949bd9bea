"""A simulated Zammad, the adapter on it, and what the tests put in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest_asyncio

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
from deskhub_tickets_zammad import TicketsZammad, ZammadConfig
from deskhub_tickets_zammad.simulator import ZammadSimulator

WORLD = build_world()
AT = datetime(2026, 3, 1, tzinfo=UTC)
CONVERSATION = Conversation(
    id=ConversationId("c_1"), tenant=TenantId("main"), inbox="shop", state="open", opened_at=AT
)  # fmt: skip


@dataclass
class Given:
    """The three together."""

    sim: ZammadSimulator
    adapter: TicketsZammad
    ctx: GivenContext

    @property
    def opened(self) -> int:
        return sum(self.sim.effects.get("ticket_opened", {}).values())

    def fault(self, kind: str, match: str = "*", **wish: Any) -> None:
        self.sim.faults.add({"kind": kind, "match": match, **wish})

    async def cards(self, subject: str | None, email: str | None = None) -> Any:
        person = Customer(
            id=CustomerId("cu_1"), tenant=TenantId("main"), subject=subject, email=email
        )
        return await self.adapter.conversation_cards(CONVERSATION, person)

    async def works(self, ticket: int, **wish: Any) -> Hook:
        """Let a colleague change a ticket and return the webhook of it."""
        url = f"{self.sim.url}/_sim/work"
        wish = {"ticket": ticket, **wish}
        async with aiohttp.ClientSession() as http, http.post(url, json=wish) as answer:
            assert answer.status == 200
        return self.sim.caught[-1]

    @staticmethod
    def call(
        key: str = "dh_r1_tickets.OpenCase", *, order: bool = True, email: str | None = None,
        customer: str = "C-1001",
    ) -> StepCall:  # fmt: skip
        price = Money("399.00", "CNY")
        about = Order(
            id=OrderId("1042"), number="1042", customer=customer, status="delivered",
            placed_at=AT, updated_at=AT, version=6, total=Money("428.00", "CNY"),
            refunded=Money("0", "CNY"), lines=(),
        )  # fmt: skip
        line = ReturnLine(line="1", sku="TS-42", title="Shoe", quantity=1, amount=price)
        subject = Subject(
            about=about if order else None, lines=(line,), amount=price, reason="damaged",
            summary="A shoe came damaged", note="The left one.", transcript="https://d/#c_1",
        )  # fmt: skip
        person = Customer(id=CustomerId("cu_1"), tenant=TenantId("main"), email=email)
        facts = {"refunded": {"id": "re_1"}, "authorized": {"lines": 1}}
        return StepCall(
            action="order.return@1", run="r1", key=key, subject=subject, facts=facts,
            customer=person, conversation="c_7",
        )  # fmt: skip

    @staticmethod
    def arrived(
        hook: Hook, *, body: bytes | None = None, at: datetime | None = None, **headers: str
    ) -> WebhookRequest:
        sent = {name.lower(): value for name, value in hook.headers.items()} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return WebhookRequest(
            instance="desk", headers=sent, body=hook.body if body is None else body,
            received_at=at or datetime.now(UTC),
        )  # fmt: skip


@pytest_asyncio.fixture
async def given() -> AsyncIterator[Given]:
    async with (
        ZammadSimulator(token="zt", world=WORLD).serving() as sim,
        given_context(instance="desk", timeout_s=0.8) as ctx,
    ):
        sim.caught = []
        adapter = TicketsZammad(ZammadConfig.model_validate(sim.settings()))
        await adapter.start(ctx)
        yield Given(sim, adapter, ctx)
        await adapter.stop()
