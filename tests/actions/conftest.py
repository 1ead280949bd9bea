"""A real store with one open conversation, and actions over five systems in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from deskhub.actions.hub_side import HubSurroundings
from deskhub.actions.service import Actions
from deskhub.chat.commands import OpenConversation
from deskhub.clock import SystemClock
from deskhub.identity.model import Principal
from deskhub.store.store import Store
from deskhub.store.tables import chat as t
from deskhub_sdk.records import Money, Order, Product
from tests.actions.five import LI_WEI, ORDER, FiveSystems
from tests.support.databases import url_for

VISITOR = Principal(
    tenant="main", kind="visitor", id="v_1", name="Wang Fang", inboxes=frozenset({"shop"})
)
FORM = {"object": "orders:1042", "lines": [{"line": "1", "quantity": 2}], "reason": "damaged"}


@dataclass
class Shop:
    """The order system behind `orders@1`."""

    orders: dict[str, Order] = field(default_factory=lambda: {"1042": ORDER})

    async def get_orders(self, ids):
        return {one: self.orders[one] for one in ids if one in self.orders}

    async def orders_of(self, subjects):
        return {"C-1001": list(self.orders)}


class Around(HubSurroundings):
    """The store's conversations beside a shop in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.shop = Shop()
        self.veto: str | None = None
        self.stock = {"TS-42": 14, "TS-43": 3, "TS-44": 0}
        self.prices = {"TS-43": "189.50"}

    def variants(self, tenant):
        return self

    async def variants_of(self, ids):
        sizes = tuple(
            Product(
                id=sku, sku=sku, name=f"Trail Shoe {sku[3:]}", stock=stock,
                price=Money(self.prices.get(sku, "199.50"), "CNY"),
            )
            for sku, stock in self.stock.items()
        )  # fmt: skip
        return {one: sizes for one in ids if one == "TS-42"}

    def orders(self, tenant):
        return ("orders", self.shop)

    async def refusal(self, tenant, action, object_, principal):
        return self.veto


@dataclass
class Desk:
    """Everything a test of the whole needs."""

    store: Store
    actions: Actions
    around: Around
    five: FiveSystems
    conversation: str

    async def planned(self, who=LI_WEI, **changes):
        return await self.actions.plan(who, "order.return@1", self.conversation, FORM | changes)

    async def ended(self, run, who=LI_WEI):
        async with asyncio.timeout(10):
            while True:
                view = await self.actions.run(who, run)
                if view["state"] in ("completed", "compensated", "attention"):
                    return view
                await asyncio.sleep(0.01)

    async def returned(self, **changes):
        plan = await self.planned(**changes)
        return await self.ended(await self.actions.confirm(LI_WEI, plan["id"], plan["digest"]))

    async def events(self, kind=None):
        rows = await self.store.read(
            lambda c: c.execute(sa.select(t.event).order_by(t.event.c.seq)).all()
        )
        return [row for row in rows if kind is None or row.kind == kind]


@asynccontextmanager
async def running(*services) -> AsyncIterator[None]:
    """Run services until the block ends."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(service.run()) for service in services]
        yield
        for task in reversed(tasks):
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def desk(tmp_path):
    clock = SystemClock()
    store = await Store.open(url_for(tmp_path / "hub.db"), clock)
    five = FiveSystems()
    around = Around(store)
    actions = Actions(store, five, around, clock, pauses_s=(0.01, 0.02), sweep_s=0.2)
    async with running(store, actions.worker):
        await store.transact("main", lambda tx: known(tx, VISITOR.id))
        command = OpenConversation("shop", "I want to return my shoes", language="zh-CN")
        receipt = await store.submit(VISITOR, command, "first")
        yield Desk(store, actions, around, five, receipt.conversation)
    await store.close()


def known(tx, visitor):
    """Let *visitor* be the customer of the order before they say anything."""
    tx.connection.execute(
        t.customer.insert().values(
            tenant="main", id="u_1", subject="C-1001", name="Wang Fang", tags=[], external={},
            since=tx.now, email=None, phone=None, language="zh-CN",
        )
    )  # fmt: skip
    link = {"tenant": "main", "visitor": visitor, "customer": "u_1"}
    tx.connection.execute(t.customer_visitor.insert().values(**link))
