"""A bad network between a client and the hub: a TCP proxy with dice that can be repeated.

It delays, slows, cuts, resets, cuts within a frame, and swallows one direction for good, as a
half-open connection does. It never reorders or invents bytes: TCP does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field
from typing import Literal

CHUNK = 16 * 1024

Direction = Literal["up", "down"]


@dataclass
class Weather:
    """How every connection fares; may be changed while they are open."""

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    refuses: bool = False
    # As a company's proxy that knows no WebSockets.
    refuses_upgrades: bool = False


@dataclass(eq=False)
class Link:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    swallowed: set[Direction] = field(default_factory=set)
    # How many of the next bytes towards the client still pass before the cut.
    cut_after: int | None = None

    def end(self, how: Literal["cut", "reset"]) -> None:
        """End both halves: with FIN after what was sent, or with RST and without it."""
        for writer in (self.client, self.server):
            if how == "reset":
                reset(writer)
            else:
                writer.close()


class Proxy:
    """Listens on a port of loopback and passes on to *upstream*; use it with ``async with``."""

    def __init__(self, upstream: int, *, seed: int = 1, weather: Weather | None = None) -> None:
        self.upstream = upstream
        self.dice = random.Random(seed)
        self.weather = weather or Weather()
        self.links: set[Link] = set()
        self.accepted = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.end_all("reset")
        async with asyncio.timeout(10):
            while self.links:
                await asyncio.sleep(0.01)

    def some(self, share: float) -> list[Link]:
        """Return *share* of the open connections, by the dice."""
        links = sorted(self.links, key=id)
        return [link for link in links if share >= 1 or self.dice.random() < share]

    def end_all(self, how: Literal["cut", "reset"], share: float = 1.0) -> int:
        """End *share* of the connections; return how many."""
        chosen = self.some(share)
        for link in chosen:
            link.end(how)
        return len(chosen)

    def swallow(self, direction: Direction, share: float = 1.0) -> int:
        """Make *share* of the connections half open: nothing more arrives in *direction*."""
        chosen = self.some(share)
        for link in chosen:
            link.swallowed.add(direction)
        return len(chosen)

    def cut_within(self, share: float = 1.0) -> int:
        """Cut *share* of the connections in the middle of what comes next from the server."""
        chosen = self.some(share)
        for link in chosen:
            link.cut_after = self.dice.randint(1, 40)
        return len(chosen)

    async def storm(self, every_s: tuple[float, float], share: float = 0.4) -> None:
        """Do something bad to some connections again and again, until cancelled."""
        while True:
            await asyncio.sleep(self.dice.uniform(*every_s))
            match self.dice.choice(("cut", "reset", "within", "up", "down")):
                case "cut":
                    self.end_all("cut", share)
                case "reset":
                    self.end_all("reset", share)
                case "within":
                    self.cut_within(share)
                case "up":
                    self.swallow("up", share / 2)
                case _:
                    self.swallow("down", share / 2)

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.weather.refuses:
            reset(client)
            return
        try:
            back, server = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            reset(client)
            return
        link = Link(client, server)
        self.links.add(link)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(link, "up", reader, server))
                group.create_task(self._pump(link, "down", back, client))
        except* OSError:
            link.end("cut")
        finally:
            self.links.discard(link)
            for writer in (client, server):
                writer.close()

    async def _pump(
        self,
        link: Link,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._delay(len(data))
                if direction in link.swallowed:
                    continue
                if self.weather.refuses_upgrades and b"Upgrade: websocket" in data:
                    link.end("cut")
                    return
                if direction == "down" and link.cut_after is not None:
                    writer.write(data[: link.cut_after])
                    with contextlib.suppress(OSError):
                        await writer.drain()
                    link.end("cut")
                    return
                writer.write(data)
                await writer.drain()
        finally:
            # One end is gone: so is the other, unless it is the half that nobody hears.
            if direction not in link.swallowed:
                writer.close()

    async def _delay(self, size: int) -> None:
        weather = self.weather
        wait_s = weather.latency_s + self.dice.uniform(0, weather.jitter_s)
        if weather.bytes_per_s:
            wait_s += size / weather.bytes_per_s
        if wait_s:
            await asyncio.sleep(wait_s)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
