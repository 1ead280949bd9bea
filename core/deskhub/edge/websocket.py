"""The stream over a WebSocket: reads text frames, writes text frames, decides nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol, Self

from fastapi import APIRouter
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from deskhub.edge.cors import check_caller
from deskhub.errors import HubError, TooManyConnections, Unauthenticated
from deskhub.identity.errors import OriginRefused
from deskhub.identity.model import Principal
from deskhub.store import failpoints
from deskhub.stream import frames as f
from deskhub.stream.errors import Close, Closed, Draining
from deskhub.stream.limits import Limits
from deskhub.stream.session import Outlet, Session
from deskhub.stream.streams import Streams

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

log = logging.getLogger("deskhub.edge")

CheckOrigin = Callable[[Scope, Principal], None]
Write = Callable[[Sequence[str]], Awaitable[None]]

# A pause this long while sending means that the client reads more slowly than we write.
BLOCKED_S = 1.0


class Authenticate(Protocol):
    """Who knows what a token stands for."""

    async def authenticate(self, token: str) -> Principal:
        """Return who holds *token*. Raises `Unauthenticated`."""
        ...


class Gone(Exception):
    """The client hung up."""


class Stuck(Exception):
    """The client has not read for so long that it is dropped."""


class StreamSocket:
    """The ASGI endpoint. A task reads, and another one writes, for each connection."""

    def __init__(
        self, streams: Streams, people: Authenticate, check_origin: CheckOrigin
    ) -> None:
        """Open sessions in *streams* for whom *people* and *check_origin* let in."""
        self._streams = streams
        self._people = people
        self._check_origin = check_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from the handshake to its end."""
        await receive()
        await send({"type": "websocket.accept"})
        try:
            session = await self._greet(scope, receive)
        except Closed as closed:
            await self._end(send, closed.code)
            return
        except Gone:
            return
        code: Close | None = None
        scope.setdefault("state", {})["principal"] = session.principal
        session.write_to(_outlet(scope))
        try:
            code = await self._serve(session, receive, _writer(scope, send))
        except* Stuck:
            # A close frame would wait behind everything that the client does not read.
            log.info("socket_stuck", extra={"sid": session.sid})
            self._streams.figures.closes.add("aborted")
            _abort(scope)
        finally:
            session.write_to(None)
            self._streams.leave(session)
        if code is not None:
            await self._end(send, code)

    async def _end(self, send: Send, code: Close) -> None:
        self._streams.figures.closes.add(code.name.lower())
        await _close(send, code)

    async def _greet(self, scope: Scope, receive: Receive) -> Session:
        """Wait for ``hello`` and return the session it opens. Raises `Closed`."""
        hello = await _hello(receive, self._streams.limits)
        try:
            principal = await self._people.authenticate(hello.token)
            self._check_origin(scope, principal)
            return await self._streams.open(
                principal, hello.cursor, hello.client, token=hello.token
            )
        except Unauthenticated as error:
            raise Closed(Close.BAD_TOKEN) from error
        except OriginRefused as error:
            raise Closed(Close.ORIGIN) from error
        except TooManyConnections as error:
            raise Closed(Close.TOO_MANY) from error
        except Draining as error:
            raise Closed(Close.RESTART) from error
        except HubError as error:
            log.warning("hello_failed", extra={"code": error.code})
            raise Closed(Close.RESTART) from error

    async def _serve(self, session: Session, receive: Receive, write: Write) -> Close | None:
        """Run both directions until one of them ends; return what to close with."""
        code: Close | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_write(session, write, self._streams.limits.stuck_s))
                await _read(session, receive, self._streams.limits.frame_bytes)
        except* Closed as closed:
            code = next(one.code for one in closed.exceptions if isinstance(one, Closed))
        except* (Gone, OSError) as gone:
            log.debug("gone_while_writing", extra={"why": type(gone.exceptions[0]).__name__})
        if code is None:
            self._streams.figures.closes.add("gone")
        return code


async def _hello(receive: Receive, limits: Limits) -> f.Hello:
    """Return the first frame. Raises `Closed` when it is none or late, and `Gone`."""
    try:
        async with asyncio.timeout(limits.hello_s):
            text = await _text(receive, limits.frame_bytes)
        if text is None:
            raise Gone
        hello = f.decode(text)
    except TimeoutError as error:
        raise Closed(Close.STUCK) from error
    except f.Refused as error:
        raise Closed(Close.PROTOCOL) from error
    if not isinstance(hello, f.Hello) or hello.v != f.VERSION:
        raise Closed(Close.PROTOCOL)
    return hello


async def _read(session: Session, receive: Receive, limit: int) -> None:
    """Hand on what comes until the client hangs up; then `_write` ends as well.

    Nobody is cancelled for that and nothing raised: every traceback of a usual end would hold
    its connection until the garbage collector comes by.
    """
    while (text := await _text(receive, limit)) is not None:
        await session.receive(text)
    session.hang_up()


async def _write(session: Session, write: Write, stuck_s: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:
            with _Patience(stuck_s, limit) as patience:
                while frames := await session.take():
                    started = patience.begin()
                    await write(frames)
                    patience.end()
                    if failpoints.IS_SET:
                        _sent(frames)
                    if loop.time() - started > BLOCKED_S:
                        session.blocked()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise Stuck from error


class _Patience:
    """Lets *limit* expire when something takes longer than *longest_s*.

    One timer looks after many sends: a timer for each costs four microseconds
    (ADR-0022).
    """

    def __init__(self, longest_s: float, limit: asyncio.Timeout) -> None:
        self._longest_s = longest_s
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def begin(self) -> float:
        """Look after what begins now; return the loop's time."""
        self._began = now = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_at(now + self._longest_s, self._look)
        return now

    def end(self) -> None:
        """Stop looking after it."""
        self._began = None

    def _look(self) -> None:
        self._timer = None
        if self._began is None:
            return
        due = self._began + self._longest_s
        if due <= self._loop.time():
            self._limit.reschedule(due)
        else:
            self._timer = self._loop.call_at(due, self._look)


def _sent(frames: Sequence[str]) -> None:
    for frame in frames:
        if frame.startswith('{"t":"result"'):
            failpoints.reach("stream.answered")
        elif frame.startswith('{"t":"events"'):
            failpoints.reach("stream.fanned_out")


def _writer(scope: Scope, send: Send) -> Write:
    """Return what sends frames: in one piece where the server offers it."""
    write: Write | None = (scope.get("extensions") or {}).get("deskhub.write")
    if write is not None:
        return write

    async def one_by_one(frames: Sequence[str]) -> None:
        try:
            for frame in frames:
                await send({"type": "websocket.send", "text": frame})
        except RuntimeError as error:
            # The server below has closed already: the client broke the framing, or hung up.
            raise Gone from error

    return one_by_one


def _outlet(scope: Scope) -> Outlet | None:
    """Return whom to write to at once, where the server offers it."""
    if failpoints.IS_SET:
        return None
    outlet: Outlet | None = (scope.get("extensions") or {}).get("deskhub.outlet")
    return outlet


async def _text(receive: Receive, limit: int) -> str | None:
    """Return the next text frame, None once the client hung up. Raises `Closed`."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        return None
    text: str | None = message.get("text")
    if text is None:
        raise Closed(Close.PROTOCOL)
    # The server below refuses frames of more than 64 KiB; others may not.
    if len(text) > limit:
        raise Closed(Close.FRAME_TOO_BIG)
    return text


async def _close(send: Send, code: Close) -> None:
    try:
        async with asyncio.timeout(1.0):
            await send(
                {"type": "websocket.close", "code": int(code), "reason": code.name.lower()}
            )
    except (TimeoutError, OSError, RuntimeError):
        log.debug("close_failed", extra={"close": int(code)})


def _abort(scope: Scope) -> None:
    """Drop the connection with what is still buffered, where the server offers it."""
    abort = (scope.get("extensions") or {}).get("deskhub.abort")
    if abort is not None:
        abort()


def router(hub: Hub) -> APIRouter:
    """Return the route of the stream."""

    def check_origin(scope: Scope, principal: Principal) -> None:
        check_caller(scope, principal, hub.config.inboxes, hub.config.hub.url)

    routes = APIRouter()
    endpoint = StreamSocket(hub.streams, hub.identity, check_origin)
    routes.routes.append(WebSocketRoute("/api/v1/stream", endpoint=endpoint, name="stream"))
    return routes
