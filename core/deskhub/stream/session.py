"""One connected client, whatever the transport: a place in the log and a few small boxes.

A session never queues events. It knows how far its client is; what lies between there and
the head of the log is read when the transport can take it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from deskhub.chat.commands import Assign, ChatCommand
from deskhub.chat.model import Receipt
from deskhub.errors import HubError, Invalid, RateLimited, Unauthenticated
from deskhub.identity.model import Principal
from deskhub.stream import frames as f
from deskhub.stream.casts import Casts, Key
from deskhub.stream.commands import CommandFrame, cid_of, command_of
from deskhub.stream.errors import Close, Closed
from deskhub.stream.feed import Feed
from deskhub.stream.limits import Bucket, Limits
from deskhub.stream.place import Logs, Place
from deskhub.stream.tokens import expires_at

log = logging.getLogger("deskhub.stream")

_AT_ONCE = frozenset(
    {Close.REVOKED, Close.SUBJECT_CHANGED, Close.BAD_TOKEN, Close.TOKEN_EXPIRED}
)


class Home(Logs, Protocol):
    """What a session needs of the service it belongs to."""

    limits: Limits

    def monotonic(self) -> float:
        """Return the time for deadlines."""
        ...

    def submit(
        self, principal: Principal, command: ChatCommand, cid: str
    ) -> asyncio.Future[Receipt]:
        """Queue a command."""
        ...

    def sends_of(self, principal: Principal) -> Bucket:
        """Return the bucket that counts what *principal* sends."""
        ...

    async def authenticate(self, token: str) -> Principal:
        """Return who holds *token*."""
        ...

    async def agent_name(self, principal: Principal, agent: str | None) -> str | None:
        """Return the display name of an agent. Raises `NotFound`."""
        ...

    async def aside(self, session: Session, frame: f.Typing | f.Open | f.Ack) -> None:
        """Handle what makes no event."""
        ...


class Outlet(Protocol):
    """A transport that can be written to at once while it has room."""

    def is_free(self) -> bool:
        """Return whether `put` need not wait."""
        ...

    def put(self, frames: Sequence[str]) -> None:
        """Send *frames*; only while it `is_free`."""
        ...


class Session:
    """A client's end in the hub. The transport calls `receive` and `take`, in two tasks.

    With an `Outlet` the second task sleeps for as long as everything can be sent at once.
    """

    def __init__(
        self, home: Home, sid: str, feed: Feed, client: f.Client, position: int
    ) -> None:
        """Use `Streams.open`."""
        self.home = home
        self.sid = sid
        self.client = client
        self.on_screen: str | None = None
        self.acked = position
        self.expires_at: float | None = None
        self.expiry_told = False
        self.heard_at = self.sent_at = home.monotonic()
        self.asked_at: float | None = None
        self._place = Place(home, feed, position)
        self._replies: deque[str] = deque()
        self._results: deque[str] = deque()
        self._casts = Casts()
        self._in_flight = 0
        self._room = asyncio.Event()
        self._waiter: asyncio.Future[None] | None = None
        self._outlet: Outlet | None = None
        self._is_due = False
        self._close: Close | None = None
        self._is_gone = False
        self._rate = Bucket(home.limits.frames, home.monotonic)

    @property
    def principal(self) -> Principal:
        """Return who this is."""
        return self.feed.principal

    @property
    def feed(self) -> Feed:
        """Return the part of the log that this client may see."""
        return self._place.feed

    @property
    def is_closing(self) -> bool:
        """Return whether somebody decided to end this session."""
        return self._close is not None

    @property
    def in_flight(self) -> int:
        """Return how many commands wait for the commit."""
        return self._in_flight

    # From the client

    async def receive(self, text: str | bytes) -> None:
        """Handle one frame; waits while 32 commands of this client are in flight.

        Call it for one frame after the other: their order is the order of their events.
        Raises `Closed` when the client must go.
        """
        self.heard_at = self.home.monotonic()
        self.asked_at = None
        if self._rate.take() > 0:
            raise Closed(Close.RATE)
        try:
            frame = f.decode(text)
        except f.Refused as refused:
            self.reply(f.result_failed(refused.frame_id, refused.error))
            return
        await self._handle(frame)

    async def _handle(self, frame: f.Incoming) -> None:
        match frame:
            case f.Pong():
                return
            case f.Ping():
                self.reply(f.plain({"t": "pong", "k": frame.k}))
            case f.Hello():
                self.reply(f.result_failed(None, Invalid("a second hello")))
            case f.Auth():
                await self._renew(frame)
            case f.Typing() | f.Open() | f.Ack():
                try:
                    await self.home.aside(self, frame)
                except HubError as error:
                    self.reply(f.result_failed(None, error))
            case _:
                await self._command(frame)

    async def _command(self, frame: CommandFrame) -> None:
        while self._in_flight >= self.home.limits.in_flight and self._close is None:
            self._room.clear()
            await self._room.wait()
        try:
            if not isinstance(frame, f.Read):
                wait_s = self.home.sends_of(self.principal).take()
                if wait_s > 0:
                    raise RateLimited("sends", after_ms=int(wait_s * 1000) + 1)
            command = command_of(frame, self.principal)
            if isinstance(command, Assign):
                name = await self.home.agent_name(self.principal, command.agent)
                command = replace(command, name=name)
            future = self.home.submit(self.principal, command, cid_of(frame))
        except HubError as error:
            self.reply(f.result_failed(frame.id, error))
            return
        self._in_flight += 1
        future.add_done_callback(partial(self._answered, frame.id))

    def _answered(self, frame_id: str | None, future: asyncio.Future[Receipt]) -> None:
        self._in_flight -= 1
        self._room.set()
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            if frame_id is not None:
                receipt = future.result()
                self._result(
                    f.result_ok(
                        frame_id,
                        receipt.seq,
                        dup=receipt.dup,
                        conversation=receipt.conversation,
                    )
                )
            return
        if not isinstance(error, HubError):
            log.error("command_failed", extra={"sid": self.sid}, exc_info=error)
            error = HubError()
        self._result(f.result_failed(frame_id, error))

    def _result(self, frame: str) -> None:
        self._results.append(frame)
        self.wake()

    async def _renew(self, frame: f.Auth) -> None:
        try:
            principal = await self.home.authenticate(frame.token)
        except Unauthenticated as error:
            self.reply(f.result_failed(frame.id, error))
            return
        known = self.principal
        if (principal.tenant, principal.by) != (known.tenant, known.by):
            raise Closed(Close.SUBJECT_CHANGED)
        self._place.feed = self.feed.renewed(principal)
        self.expires_at = expires_at(frame.token)
        self.expiry_told = False
        self.reply(f.plain({"t": "result", "id": frame.id, "ok": True, "seq": 0, "dup": False}))

    # To the client

    async def take(self) -> list[str]:
        """Wait until there is something to send; return it, in order.

        The events of a command come before its result, and mostly together with it. Nothing
        means that the client hung up. Raises `Closed` once the session was ended and what may
        still be sent was.
        """
        while True:
            if self._is_gone:
                return []
            if self._close in _AT_ONCE:
                raise Closed(self._close)
            ready = list(self._replies)
            self._replies.clear()
            if self._place.is_behind:
                told = self._place.from_memory()
                ready += await self._place.from_log() if told is None else told
            ready += self._last()
            if ready:
                self.sent_at = self.home.monotonic()
                return ready
            if self._close is not None:
                raise Closed(self._close)
            if not self._replies and not self._results and not self._place.is_behind:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter

    def reply(self, frame: str) -> None:
        """Send *frame* to this client alone."""
        self._replies.append(frame)
        self.wake()

    def cast(self, key: Key, frame: str) -> None:
        """Send *frame* unless a newer one of the same *key* comes first."""
        self._casts.put(key, frame)
        self.wake()

    def behind(self, after: int) -> None:
        """Note that there are events after seq *after* that may concern this reader.

        Everything up to *after* was already sent or does not concern it. Call `wake` next.
        """
        self._place.behind(after)

    def write_to(self, outlet: Outlet | None) -> None:
        """Send to *outlet* what is at hand, for as long as `take` waits."""
        self._outlet = outlet

    def wake(self) -> None:
        """`flush` in the loop's next turn: what comes until then goes with it."""
        if not self._is_due and self._waiter is not None and not self._waiter.done():
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Send what there is, now if the transport can, else by letting `take` go on."""
        self._is_due = False
        waiter = self._waiter
        if waiter is not None and not waiter.done() and not self._is_sent():
            waiter.set_result(None)

    def _is_sent(self) -> bool:
        """Send what is at hand; return whether nothing is left to do."""
        outlet = self._outlet
        if outlet is None or self._is_gone or self._close is not None or not outlet.is_free():
            return False
        told = self._place.from_memory() if self._place.is_behind else []
        if told is None:
            return False
        ready = [*self._replies, *told, *self._last()]
        self._replies.clear()
        if ready:
            self.sent_at = self.home.monotonic()
            outlet.put(ready)
        return not self._place.is_behind

    def _last(self) -> list[str]:
        """Return what comes after the events."""
        ready = [*self._results, *self._casts.take()]
        self._results.clear()
        return ready

    def blocked(self) -> None:
        """Note that the transport could not send for a while."""
        self._place.blocked()

    def advance(self) -> None:
        """Move the client's cursor to the head although nothing concerned it."""
        frame = self._place.advance()
        if frame is not None:
            self.reply(frame)

    def close(self, code: Close) -> None:
        """End the session with *code*; the first call counts."""
        if self._close is None:
            self._close = code
            self.wake()
            self._room.set()

    def hang_up(self) -> None:
        """Note that the client is gone: `take` ends."""
        self._is_gone = True
        self._outlet = None
        self.wake()
