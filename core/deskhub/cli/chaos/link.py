"""A bad link: passes bytes on, and cuts some connections again and again."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK = 16 * 1024
EVERY_S = (0.3, 1.0)
SHARE = 0.3
# SO_LINGER with zero seconds: the connection ends with RST, and what is unsent is dropped.
_AT_ONCE = struct.pack("ii", 1, 0)


class Link:
    """A TCP proxy on loopback in front of one port."""

    def __init__(self, upstream: int, dice: random.Random) -> None:
        """Pass on to *upstream*; cut by *dice*."""
        self._upstream = upstream
        self._dice = dice
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self.port = 0
        self.cuts = 0

    async def storm(self) -> None:
        """Cut some connections every now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._dice.uniform(*EVERY_S))
            for pair in list(self._pairs):
                if self._dice.random() < SHARE:
                    self.cuts += 1
                    _end(pair)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Accept connections until the block ends."""
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for pair in list(self._pairs):
                _end(pair)

    async def _pass(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            back, hub = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            client.transport.abort()
            return
        pair = (client, hub)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, hub), name="up")
                group.create_task(_pump(back, client), name="down")
        except* OSError:
            _end(pair)
        finally:
            self._pairs.discard(pair)
            client.close()
            hub.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    writer.close()


def _end(pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
    for writer in pair:
        if not writer.transport.is_closing():
            own: socket.socket = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        writer.transport.abort()
