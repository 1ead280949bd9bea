"""A WebSocket client that costs next to nothing, so that the load test measures the server."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from typing import cast

OnText = Callable[[bytes], None]


class Wire(asyncio.Protocol):
    """One connection; text frames in and out as bytes. Masks with zeros, which is allowed."""

    def __init__(self, host: str, path: str, on_text: OnText) -> None:
        self._on_text = on_text
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
        ).encode()
        self._buffer = b""
        self._is_open = False
        self.opened = asyncio.Event()
        self.transport: asyncio.Transport | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            assert self._buffer.startswith(b"HTTP/1.1 101"), self._buffer[:80]
            self._buffer = self._buffer[end + 4 :]
            self._is_open = True
            self.opened.set()
        self._frames()

    def _frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1] & 127, at + 2
            if size == 126:
                size, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if len(buffer) < head + size:
                break
            if buffer[at] & 15 == 1:
                self._on_text(buffer[head : head + size])
            at = head + size
        self._buffer = buffer[at:]

    def hang_up(self) -> None:
        """Drop the connection."""
        if self.transport is not None:
            self.transport.abort()

    def send(self, text: bytes) -> None:
        size = len(text)
        if size < 126:
            head = bytes((0x81, 0x80 | size))
        elif size < 65_536:
            head = bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x81, 0xFF)) + size.to_bytes(8, "big")
        assert self.transport is not None
        self.transport.write(head + b"\0\0\0\0" + text)


async def dial(port: int, path: str, on_text: OnText, *, source: str | None = None) -> Wire:
    """Return an open connection to *port* on loopback, from the address *source*."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(
        lambda: Wire("127.0.0.1", path, on_text), "127.0.0.1", port,
        local_addr=(source, 0) if source else None,
    )  # fmt: skip
    async with asyncio.timeout(20):
        await wire.opened.wait()
    return wire
