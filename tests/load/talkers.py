"""Who is measured: the hub, and three servers that do the same for nothing but the wire.

Everybody gets the same texts from the same number of clients. In the hub, in python-socketio
and in the Node server a visitor's message goes to the agent, comes back to the visitor and is
acknowledged; only the hub has it on disk before.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Callable, Sequence

from tests.load.measure import arrivals, text_of
from tests.load.programs import Program
from tests.load.wire import Wire, dial

VISITORS = 200
_runs = itertools.count()


class Clients:
    """The connections to one server, and what arrived."""

    name = ""

    def __init__(self, server: Program) -> None:
        self.server = server
        self.wires: list[Wire] = []
        self.visitors: list[Wire] = []
        self.arrived: list[tuple[float, float]] = []
        self.run = f"{os.getpid():x}-{next(_runs)}"
        self.number = 0

    def closed(self) -> int:
        return sum(wire.closed for wire in self.wires)

    def close(self) -> None:
        """Hang up."""
        for wire in self.wires:
            wire.hang_up()

    def cid(self) -> str:
        """Return an id that no command had before."""
        self.number += 1
        return f"m-{self.run}-{self.number}"

    def _came(self, frame: bytes) -> None:
        arrivals(frame, self.arrived)


class Hub(Clients):
    """Deskhub: an agent who sees everything, and visitors with a conversation each."""

    name = "deskhub"

    def __init__(
        self, server: Program, agent: str, visitors: Sequence[str], doors: Sequence[int] = ()
    ) -> None:
        super().__init__(server)
        self._agent = agent
        self.tokens = visitors
        # Visitors take these ports in turn, where there are several processes.
        self._doors = doors or (server.port,)
        self.conversations: list[str] = []

    async def connect(self) -> None:
        self.wires.append(await hello(self.server.port, self._agent, self._came))
        for number, token in enumerate(self.tokens):
            opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()

            def told(text: bytes, opened: asyncio.Future[str] = opened) -> None:
                if not opened.done() and text.startswith(b'{"t":"result"'):
                    opened.set_result(json.loads(text)["conversation"])

            port = self._doors[number % len(self._doors)]
            wire = await hello(port, token, told)
            wire.send(message("new", f"open-{self.run}-{number}", "hello"))
            async with asyncio.timeout(10):
                self.conversations.append(await opened)
            self.visitors.append(wire)
        self.wires += self.visitors

    def write(self, number: int, due: float) -> None:
        who = number % len(self.visitors)
        text = text_of(number, due)
        self.visitors[who].send(message(self.conversations[who], self.cid(), text))


class Echo(Clients):
    """The same stack without anything of Deskhub: what comes is sent back."""

    name = "raw echo"

    async def connect(self) -> None:
        for _ in range(VISITORS):
            self.wires.append(await dial(self.server.port, "/", self._came))

    def write(self, number: int, due: float) -> None:
        frame = message("c" * 34, self.cid(), text_of(number, due))
        self.wires[number % VISITORS].send(frame)


class NodeWs(Clients):
    """Node with ``ws``: parse, make the event, send it to two, acknowledge."""

    name = "Node ws"

    async def connect(self) -> None:
        self.wires.append(await dial(self.server.port, "/agent", self._came))
        for _ in range(VISITORS):
            self.visitors.append(await dial(self.server.port, "/visitor", _ignore))
        self.wires += self.visitors

    def write(self, number: int, due: float) -> None:
        frame = message("c" * 34, self.cid(), text_of(number, due))
        self.visitors[number % VISITORS].send(frame)


class SocketIo(Clients):
    """python-socketio on uvicorn: the same, in its own protocol."""

    name = "python-socketio"

    async def connect(self) -> None:
        agent = await self._enter(self._came)
        agent.send(b'42["agent",{}]')
        for _ in range(VISITORS):
            self.visitors.append(await self._enter(_ignore))

    async def _enter(self, on_text: Callable[[bytes], None]) -> Wire:
        entered = asyncio.Event()

        def heard(text: bytes) -> None:
            if text == b"2":
                wire.send(b"3")
            elif text.startswith(b"40"):
                entered.set()
            else:
                on_text(text)

        path = "/socket.io/?EIO=4&transport=websocket"
        wire = await dial(self.server.port, path, heard)
        wire.send(b"40")
        async with asyncio.timeout(10):
            await entered.wait()
        self.wires.append(wire)
        return wire

    def write(self, number: int, due: float) -> None:
        frame = message("c" * 34, self.cid(), text_of(number, due))
        packet = b"42%d" % self.number + b'["send",' + frame + b"]"
        self.visitors[number % VISITORS].send(packet)


async def hello(
    port: int, token: str, on_text: Callable[[bytes], None], *, source: str | None = None
) -> Wire:
    """Return a connection to the hub that said hello and answers heartbeats."""

    def heard(text: bytes) -> None:
        # A client that does not answer is dropped, and rightly so.
        if text.startswith(b'{"t":"ping"'):
            wire.send(b'{"t":"pong"}')
        else:
            on_text(text)

    wire = await dial(port, "/api/v1/stream", heard, source=source)
    wire.send(json.dumps({"t": "hello", "v": 1, "token": token}).encode())
    return wire


def message(conversation: str, cid: str, text: str) -> bytes:
    """Return the frame that posts *text*."""
    return (
        f'{{"t":"send","id":"{cid}","conversation":"{conversation}","cid":"{cid}",'
        f'"body":{{"kind":"text","text":"{text}"}}}}'
    ).encode()


def _ignore(_: bytes) -> None:
    """Take it as read."""
