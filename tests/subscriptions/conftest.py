"""A hub that tells endpoints of the test's own what happens in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deskhub.chat.commands import AddNote, Close, OpenConversation, PostMessage
from deskhub.clock import SystemClock
from deskhub.config import WebhookSettings
from deskhub.identity.keys import KeyTable, new_table
from deskhub.identity.model import Principal
from deskhub.store import deliveries, hookcursors
from deskhub.store.deliveries import Attempt, DeliveryRow
from deskhub.store.subscriptions import SubscriptionRow
from deskhub.subscriptions import Subscriptions
from deskhub.subscriptions.feed import CURSOR
from tests.support.chat import ChatHub, chat_hub, person
from tests.support.databases import postgres

ADMIN = Principal("main", "agent", "a_9", "Ada", role="admin", session="s-a_9")
Answer = Callable[[web.Request], web.StreamResponse]


@dataclass
class Endpoint:
    """Somebody who is told; `answers` are given one after the other, then 204."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int | Answer] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, body))
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.pop(0) if self.answers else 204
        return web.Response(status=answer) if isinstance(answer, int) else answer(request)

    async def until(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        async with asyncio.timeout(20):
            while len(self.got) < count:
                await asyncio.sleep(0.01)
        return self.got


@contextlib.asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    one = Endpoint()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield one
    finally:
        await runner.cleanup()


@dataclass
class Desk:
    """The hub, who is told, and what people do."""

    hub: ChatHub
    keys: KeyTable = field(default_factory=new_table)
    subscriptions: Subscriptions | None = None
    conversation: str = ""

    def build(self, private: tuple[str, ...] = ("127.0.0.1",), **more: Any) -> Subscriptions:
        settings = WebhookSettings(private_hosts=private)
        config = self.hub.hub.config.model_copy(update={"webhooks": settings})
        given = {"pauses_s": (0.05,) * 9, "timeout_s": 5.0} | more
        made = Subscriptions(config, self.hub.store, SystemClock(), self.keys, **given)
        self.hub.hub.subscriptions = self.subscriptions = made
        return made

    @contextlib.asynccontextmanager
    async def telling(self, **more: Any) -> AsyncIterator[Subscriptions]:
        """Run it; the end of the block is as sudden as a process's."""
        made = self.build(**more)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(made.run())
            try:
                async with asyncio.timeout(10):
                    while await self._place() is None:
                        await asyncio.sleep(0.01)
                yield made
            finally:
                running.cancel()

    async def _place(self) -> int | None:
        return await self.hub.store.read(lambda db: hookcursors.position(db, "main", CURSOR))

    async def caught_up(self) -> None:
        """Return once everything that happened was noted: a witness is told of one more."""
        witness, _ = await self.subscribe("http://127.0.0.1:9/", "note.posted")
        command = AddNote(self.conversation, "now")
        await self.hub.chat.do(person("agent", "a_1"), command, cid=witness.id)
        async with asyncio.timeout(20):
            while not await self.rows(witness):
                await asyncio.sleep(0.01)

    async def subscribe(self, to: Endpoint | str, *kinds: str) -> tuple[SubscriptionRow, str]:
        assert self.subscriptions is not None
        url = to if isinstance(to, str) else to.url
        return await self.subscriptions.create(ADMIN, "far", url, kinds or ("*",))

    async def open(self, visitor: str = "v_1", text: str = "Where is it?") -> str:
        done = await self.hub.chat.do(
            person("visitor", visitor), OpenConversation("web", text), cid=f"{visitor}-0"
        )
        self.conversation = done.conversation
        return done.conversation

    async def answer(self, conversation: str, text: str, cid: str) -> int:
        command = PostMessage(conversation, text)
        return (await self.hub.chat.do(person("agent", "a_1"), command, cid=cid)).seq

    async def close(self, conversation: str) -> None:
        await self.hub.chat.do(person("agent", "a_1"), Close(conversation), cid="close-1")

    async def rows(self, row: SubscriptionRow) -> list[DeliveryRow]:
        return list(
            await self.hub.store.read(
                lambda db: deliveries.listed(db, "main", row.id, limit=500)
            )
        )

    async def attempts(self, row: DeliveryRow) -> list[Attempt]:
        return list(
            await self.hub.store.read(lambda db: deliveries.attempts(db, "main", row.id))
        )

    async def settled(self, row: SubscriptionRow, *states: str) -> list[DeliveryRow]:
        """Return the deliveries once they are in *states*, the newest first."""
        async with asyncio.timeout(30):
            while True:
                found = await self.rows(row)
                if sorted(one.state for one in found) == sorted(states):
                    return found
                await asyncio.sleep(0.01)


@pytest.fixture(params=["sqlite", "postgresql"])
async def desk(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres()) if request.param == "postgresql" else None
        async with chat_hub(tmp_path / "hub.db", url=url) as hub:
            yield Desk(hub)


@pytest.fixture
async def far() -> AsyncIterator[Endpoint]:
    async with endpoint() as one:
        yield one
