"""HTTP/1.1 and WebSockets as uvicorn speaks them, with what it leaves out.

Its parser keeps every header byte it gets, and nothing ends a connection that never finishes
its headers: both are bounded here, below ASGI. A WebSocket can be aborted here, because a
close frame would wait behind everything that a stuck client does not read; and what is sent
to it goes to the transport in one piece.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

# More than the limit of `Limits.header_bytes`, which gives the proper answer; this one only
# keeps memory bounded. One read of the loop may bring 256 KiB at once.
HEAD_BYTES = 64 * 1024
HEAD_WITHIN_S = 15.0
# RFC 6455, 7.4.1.
_NOT_UTF8 = 1007
# The whole message, as text.
_TEXT = 0x81


class BoundedHttp(HttpToolsProtocol):
    """Ends connections whose request head is too large or does not come."""

    _head_bytes = 0
    _in_head = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the timer with the connection."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before a request's headers are complete."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._timer is None:
            self._expect_head()
        if self._head_bytes > HEAD_BYTES:
            self.send_400_response("Request head too large.")

    def on_message_begin(self) -> None:
        """Begin to count: the first byte of a request came."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop counting: the body has limits of its own."""
        self._in_head = False
        self._cancel()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over and leave nothing that refers to itself."""
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # as the library does at the end

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_WITHIN_S, self._too_slow)

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class StreamSocketProtocol(WebSocketsSansIOProtocol):
    """Offers the application what ASGI does not know.

    ``deskhub.abort`` drops the connection and its buffers now. ``deskhub.write`` sends several
    text frames in one piece. ``deskhub.outlet`` is whom to ask whether it can be done at once
    (`deskhub.stream.session.Outlet`).
    """

    def send_receive_event_to_app(self) -> None:
        """Refuse a text that is none: uvicorn logs it with a traceback, as its own failure."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            text = b"".join(self.frames)
            self.frames = [text]
            try:
                text.decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(_NOT_UTF8)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    async def run_asgi(self) -> None:
        """Run the application with the extensions in its scope."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions["deskhub.abort"] = self.transport.abort
        if not self.conn.extensions:
            extensions["deskhub.write"] = self.write
            extensions["deskhub.outlet"] = self
        try:
            await super().run_asgi()
        finally:
            extensions.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the parser, a generator that refers to what holds it.

        What refers to itself waits for the garbage collector, which is told to leave long-lived
        things alone (ADR-0025): ten thousand who came and went would never be freed.
        """
        super().connection_lost(exc)
        self.conn.parser.close()

    async def write(self, texts: Sequence[str]) -> None:
        """Send *texts*, as `send` would one after the other, at a third of the cost (ADR-0024).

        Raises `ClientDisconnected`.
        """
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.put(texts)

    def is_free(self) -> bool:
        """Return whether `put` need not wait: it is open and its buffer has room."""
        return (
            self.writable.is_set()
            and not self.disconnected
            and not self.close_sent
            and self.conn.state is State.OPEN
        )

    def put(self, frames: Sequence[str]) -> None:
        """Send *frames* now; call it only while the connection `is_free`."""
        self.transport.write(b"".join([framed(frame.encode()) for frame in frames]))


def framed(payload: bytes) -> bytes:
    """Return *payload* as one unmasked WebSocket text frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65_536:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + payload
