"""A hub of chat alone, on a real port, and a client that speaks its protocol.

People are told by their token: ``agent.a_1`` or ``visitor.v_1``; everything else is the real
thing. `tests.support.served` runs it as a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import websockets
from websockets.asyncio.client import ClientConnection, connect

from deskhub.bus.port import Bus
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.config import Config, HubSettings, Inbox
from deskhub.edge.app import build_app
from deskhub.edge.buckets import Rate as EdgeRate
from deskhub.edge.hub import Hub
from deskhub.edge.limits import Limits as EdgeLimits
from deskhub.edge.server import listener, server
from deskhub.errors import Unauthenticated
from deskhub.figures import Tally
from deskhub.files.files import Files
from deskhub.identity.keys import new_table
from deskhub.identity.model import Principal
from deskhub.identity.records import Agent
from deskhub.notify import Mail, Push
from deskhub.store.reports import Reports
from deskhub.store.store import Store
from deskhub.stream.limits import Limits, Rate
from deskhub.stream.streams import Streams
from deskhub.subscriptions import Subscriptions
from tests.support.databases import url_for

FREE = EdgeRate(per_s=1e9, burst=1e9)
NO_EDGE_LIMITS = EdgeLimits(
    webhooks=FREE, address=FREE, new_visitors=FREE, agent=FREE, visitor=FREE,
    handshakes=FREE, sockets_per_address=100_000,
)  # fmt: skip
NO_LIMITS = Limits(
    agent_sends=Rate(1e9, 1e9), visitor_sends=Rate(1e9, 1e9), frames=Rate(1e9, 1e9),
    agent_sockets=10_000, visitor_sockets=10_000,
)  # fmt: skip


@dataclass
class FakePeople:
    """Everybody is who they say; `revoked` holds the ids that may no longer."""

    revoked: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    staff: tuple[str, ...] = ("a_1", "a_2", "a_3")

    async def authenticate(self, token: str) -> Principal:
        if token.count(".") == 2:
            token = json.loads(_unpadded(token.split(".")[1]))["sub"]
        kind, _, who = token.partition(".")
        if kind not in ("agent", "visitor") or not who or who in self.revoked:
            raise Unauthenticated("unknown")
        return person(kind, who)

    async def still_valid(self, principal: Principal) -> bool:
        return principal.id not in self.revoked

    def locked_out(self, tenant: str, visitor: str) -> None:
        self.revoked.add(visitor)

    async def agents(self, tenant: str) -> Sequence[Agent]:
        return [
            Agent(
                tenant, one, f"{one}@example.com", one.upper(), "agent",
                status="away" if one in self.away else "online",
            )
            for one in self.staff
        ]  # fmt: skip

    async def agent(self, tenant: str, agent: str) -> Agent:
        return next(one for one in await self.agents(tenant) if one.id == agent)


def person(kind: str, who: str) -> Principal:
    """Return an agent or visitor of tenant main; agents ``b_…`` serve inbox ``second`` only."""
    if kind == "visitor":
        inbox = frozenset({"second" if who.startswith("w_") else "web"})
        return Principal("main", "visitor", who, who.upper(), inboxes=inbox, session=who)
    inboxes = frozenset({"second"}) if who.startswith("b_") else None
    return Principal(
        "main", "agent", who, who.upper(), role="agent", inboxes=inboxes, session=f"s-{who}"
    )


def _unpadded(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class NoPanels:
    async def open(self, *_: object, **__: object) -> list[dict[str, Any]]:
        return []


@dataclass
class ChatHub:
    """The running parts and where they listen."""

    store: Store
    chat: Chat
    streams: Streams
    people: FakePeople
    hub: Hub
    port: int = 0

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def http(self, token: str) -> httpx2.AsyncClient:
        """Return an HTTP client of whoever *token* is."""
        return httpx2.AsyncClient(
            base_url=self.api, headers={"authorization": f"Bearer {token}"}, timeout=30
        )

    def dial(self, token: str, cursor: str | None = None, **more: Any) -> Dial:
        """Return a socket client; use it with ``async with``."""
        return Dial(f"ws://127.0.0.1:{self.port}", token, cursor, **more)


@contextlib.asynccontextmanager
async def chat_hub(
    db: Path,
    *,
    limits: Limits | None = None,
    edge_limits: EdgeLimits = NO_EDGE_LIMITS,
    port: int = 0,
    url: str | None = None,
    bus: Bus | None = None,
) -> AsyncIterator[ChatHub]:
    """Run a hub on the database file *db*, or at *url*, and serve it on loopback."""
    clock, people = SystemClock(), FakePeople()
    inboxes = {
        name: Inbox(id=name, key=f"key-{name}", name=name, origins=(f"https://{name}.example",))
        for name in ("web", "second")
    }
    config = Config(
        path=db.parent / "hub.toml",
        hub=HubSettings(listen=f"127.0.0.1:{port}"),
        inboxes=inboxes,
    )
    store = await Store.open(url or url_for(db), clock)
    chat = Chat(store)
    streams = Streams(store, chat, people, clock, limits=limits, bus=bus)
    files = Files.build(config, store, people, clock, new_table())
    hub = Hub(
        config=config, clock=clock, store=store, identity=people, sso=SimpleNamespace(),
        chat=chat, streams=streams, files=files, host=SimpleNamespace(all_instances=list),
        panels=NoPanels(), signals=SimpleNamespace(), actions=SimpleNamespace(ended=Tally()),
        search=SimpleNamespace(), reload=SimpleNamespace(), announcer=SimpleNamespace(),
        reports=Reports(store), mail=Mail(config, store, clock, new_table(), streams.is_here),
        push=Push(config, store, clock, streams.presence.has_reached, people.agents),
        subscriptions=Subscriptions(config, store, clock, new_table()),
        limits=edge_limits,
    )  # fmt: skip
    sock = listener(config)
    web = server(build_app(hub), config)
    async with asyncio.TaskGroup() as group:
        services = [group.create_task(store.run()), group.create_task(streams.run())]
        if bus is not None:
            services.insert(1, group.create_task(bus.run()))
        serving = group.create_task(web.serve(sockets=[sock]))
        async with asyncio.timeout(20):
            while not web.started:
                await asyncio.sleep(0.005)
        try:
            yield ChatHub(store, chat, streams, people, hub, sock.getsockname()[1])
        finally:
            await streams.drain(0.2)
            web.should_exit = True
            await asyncio.wait([serving])
            for service in reversed(services):
                service.cancel()
                await asyncio.wait([service])
    await store.close()


@dataclass
class Dial:
    """A client of the stream that remembers what it saw."""

    url: str
    token: str
    cursor: str | None = None
    hello: dict[str, Any] | None = None
    frames: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    socket: ClientConnection | None = None
    origin: str | None = None

    async def __aenter__(self) -> Dial:
        self.socket = await connect(
            f"{self.url}/api/v1/stream",
            compression=None,
            origin=self.origin,
            ping_interval=None,
            # A full queue of frames that nobody reads would hide the answer to a close.
            max_queue=None,
        )
        first = {
            "t": "hello", "v": 1, "token": self.token, "cursor": self.cursor,
            "client": {"name": "test", "version": "1"},
        }  # fmt: skip
        await self.put(first if self.hello is None else self.hello)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.socket is not None
        await self.socket.close()

    async def put(self, frame: dict[str, Any] | str) -> None:
        assert self.socket is not None
        await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def next(self) -> dict[str, Any]:
        """Return the next frame."""
        assert self.socket is not None
        async with asyncio.timeout(10):
            text = str(await self.socket.recv())
        self.texts.append(text)
        frame: dict[str, Any] = json.loads(text)
        self.frames.append(frame)
        if frame["t"] == "events":
            self.cursor = frame["to"]
        elif frame["t"] in ("welcome", "reset"):
            self.cursor = frame["cursor"]
        return frame

    async def until(self, t: str, **fields: Any) -> dict[str, Any]:
        """Return the next frame of type *t* with *fields*."""
        while True:
            frame = await self.next()
            wanted = {"t": t} | fields
            if all(frame.get(key) == value for key, value in wanted.items()):
                return frame

    async def events(self, count: int) -> list[dict[str, Any]]:
        """Return the next *count* events."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            found += (await self.until("events"))["events"]
        return found

    async def closed(self) -> int:
        """Return the code that the server closes with."""
        assert self.socket is not None
        async with asyncio.timeout(15):
            try:
                while True:
                    await self.next()
            except websockets.ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    async def send(self, text: str, cid: str, conversation: str = "new") -> dict[str, Any]:
        """Post a message and return its result."""
        await self.put(
            {
                "t": "send", "id": cid, "conversation": conversation, "cid": cid,
                "body": {"kind": "text", "text": text},
            }
        )  # fmt: skip
        return await self.until("result", id=cid)
