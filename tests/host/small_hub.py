"""A hub without a network: a real store and log, the host with adapters made of a few lines."""

from __future__ import annotations

import asyncio
import itertools
import sys
import types
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhub.chat.commands import ChatCommand, Close, OpenConversation
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.config import Config as HubConfig
from deskhub.config import Instance
from deskhub.host.host import Host
from deskhub.host.notify import Announcer
from deskhub.host.ports import BuiltIn, HostPorts
from deskhub.identity.model import Principal
from deskhub.panels import Panels
from deskhub.signals import SignalInbox, Signals
from deskhub.store.event import Event
from deskhub.store.kv import StoreKv
from deskhub.store.log import after
from deskhub.store.store import Store
from deskhub.store.tables import chat as t
from deskhub.store.tables.hub import hook_cursor
from deskhub_sdk import SPECS, Adapter, Config, Meta, Permissions, Seat
from tests.support.databases import url_for

AGENT = Principal(tenant="main", kind="agent", id="a_1", name="Li Wei", role="agent")
_numbers = itertools.count()


class Plain(Adapter[Config]):
    """Base of test adapters: no settings, ready at once."""

    meta = Meta(
        id="plain", name="Plain", sdk=">=1.0,<2",
        permissions=Permissions(reads=("agents",), writes=("assign",)),
    )  # fmt: skip
    config_model = Config


def visitor(name: str) -> Principal:
    return Principal(
        tenant="main", kind="visitor", id=name, name=name, inboxes=frozenset({"shop"})
    )


@dataclass
class Seats:
    """Seats that a test sets."""

    store: Store
    seats: list[Seat] = field(default_factory=list)

    async def online(self, tenant: str, inbox: str) -> Sequence[Seat]:
        loads = await self.store.read(_loads)
        return [
            msgspec.structs.replace(one, load=loads.get(one.agent, 0)) for one in self.seats
        ]

    async def waiting(self, tenant: str, inbox: str) -> Sequence[str]:
        c = t.conversation.c
        query = (
            sa.select(c.id)
            .where(c.tenant == tenant, c.state == "open", c.assignee.is_(None))
            .order_by(c.opened_at)
        )
        return await self.store.read(lambda db: [row.id for row in db.execute(query)])

    async def name_of(self, tenant: str, agent: str) -> str | None:
        return f"Agent {agent}"


def _loads(db: sa.Connection) -> dict[str, int]:
    c = t.conversation.c
    query = (
        sa.select(c.assignee, sa.func.count())
        .where(c.state == "open", c.assignee.is_not(None))
        .group_by(c.assignee)
    )
    return {row[0]: row[1] for row in db.execute(query)}


@dataclass
class SmallHub:
    store: Store
    chat: Chat
    host: Host
    announcer: Announcer
    inbox: SignalInbox
    signals: Signals
    panels: Panels
    seats: Seats
    pushed: list[tuple[str, dict[str, Any]]]

    async def do(self, who: Principal, command: ChatCommand, cid: str | None = None) -> str:
        receipt = await self.chat.do(who, command, cid=cid or f"t-{next(_numbers)}")
        return receipt.conversation

    async def open(self, who: Principal, text: str = "hello") -> str:
        return await self.do(who, OpenConversation("shop", text))

    async def close(self, conversation: str) -> None:
        await self.do(AGENT, Close(conversation))

    async def events(self, kind: str | None = None) -> list[Event]:
        found = await self.store.read(lambda db: after(db, "main", 0, 10_000))
        return [event for event in found if kind is None or event.kind == kind]

    async def add_customer(self, key: str, subject: str, *visitors: str, **more: Any) -> None:
        def work(tx: Any) -> None:
            tx.connection.execute(
                sa.insert(t.customer).values(
                    tenant="main", id=key, subject=subject, tags=[], external={},
                    since=tx.now, **more,
                )
            )  # fmt: skip
            for one in visitors:
                tx.connection.execute(
                    sa.insert(t.customer_visitor).values(
                        tenant="main", visitor=one, customer=key
                    )
                )

        await self.store.transact("main", work)

    async def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        return await self.store.read(
            lambda db: [dict(row._mapping) for row in db.execute(sa.select(table))]
        )

    async def ready(self, *, announcing: bool) -> None:
        """Wait until every instance runs and has its place in the log."""
        async with asyncio.timeout(10):
            for one in self.host.all_instances():
                await one.ready.wait()
        durable = {name for name, spec in SPECS.items() if spec.durable}
        told = {one.id for one in self.host.all_instances() if one.hooks & durable}

        async def placed() -> bool:
            return told <= {row["instance"] for row in await self.rows(hook_cursor)}

        if announcing:
            await eventually(placed)


async def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """Return the first true value of *condition*, a function or a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(0.01)


@asynccontextmanager
async def small_hub(
    folder: Path,
    adapters: Mapping[str, type[Adapter[Any]]],
    *,
    builtins: Sequence[BuiltIn] = (),
    run: Sequence[str] = ("host", "announcer", "signals"),
    attempts: int = 10,
    pauses_s: Sequence[float] = (0.01,) * 10,
    settings: Mapping[str, Instance] | None = None,
    points: Mapping[str, EntryPoint] | None = None,
    waits: bool = True,
) -> AsyncIterator[SmallHub]:
    """Run a hub on the database in *folder* with an instance of each of *adapters*."""
    clock = SystemClock()
    store = await Store.open(url_for(folder / "hub.db"), clock)
    chat = Chat(store)
    seats = Seats(store)
    inbox = SignalInbox(store, clock)
    ports = HostPorts(chat=chat, kv=StoreKv(store), seats=seats, emit=inbox.emit)
    module = types.ModuleType(f"small_hub_{next(_numbers)}")
    found = dict(points or {})
    for name, kind in adapters.items():
        setattr(module, f"A{len(found)}", kind)
        found[name] = EntryPoint(name, f"{module.__name__}:A{len(found)}", "deskhub.adapters")
    sys.modules[module.__name__] = module
    config = HubConfig(
        path=folder / "hub.toml",
        adapters={
            **{name: Instance(id=name, use=name, isolation="inline") for name in adapters},
            **(settings or {}),
        },
    )
    host = Host.build(config, clock, ports, builtins=builtins, points=found)
    announcer = Announcer(host, store, clock, attempts=attempts, first_pause_s=0.01)
    signals = Signals(host, store, clock, inbox, pauses_s=pauses_s)
    pushed: list[tuple[str, dict[str, Any]]] = []
    panels = Panels(host, store, clock, lambda _, of, panel: pushed.append((of, panel)))
    services = {"host": host, "announcer": announcer, "signals": signals}
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(store.run())
        tasks = [group.create_task(services[name].run()) for name in run]
        hub = SmallHub(store, chat, host, announcer, inbox, signals, panels, seats, pushed)
        try:
            if "host" in run and waits:
                await hub.ready(announcing="announcer" in run)
            yield hub
        finally:
            for task in reversed(tasks):
                task.cancel()
                await asyncio.wait([task])
            writer.cancel()
            await asyncio.wait([writer])
    await store.close()
    del sys.modules[module.__name__]
