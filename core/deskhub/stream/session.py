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
from deskhub.store.event import Event
from deskhub.store.tombstones import ERASED
from deskhub.stream import cursor as cursors
from deskhub.stream import frames as f
from deskhub.stream.casts import Casts, Key
from deskhub.stream.commands import CommandFrame, cid_of, command_of
from deskhub.stream.errors import Close, Closed
from deskhub.stream.feed import Feed
from deskhub.stream.figures import StreamFigures
from deskhub.stream.limits import Bucket, Limits
from deskhub.stream.tokens import expires_at

log = logging.getLogger("deskhub.stream")

FRAME_EVENTS = 500
# A client this far behind after its socket was blocked is told how much is still to come.
LAG_EVENTS = 100
_AT_ONCE = frozenset(
    {Close.REVOKED, Close.SUBJECT_CHANGED, Close.BAD_TOKEN, Close.TOKEN_EXPIRED}
)


class Home(Protocol):
    """What a session needs of the service it belongs to."""

    limits: Limits
    figures: StreamFigures

    def monotonic(self) -> float:
        """Return the time for deadlines."""
        ...

    def log_of(self, tenant: str) -> tuple[str, int]:
        """Return (epoch, head) of the tenant's log."""
        ...

    def submit(
        self, principal: Principal, command: ChatCommand, cid: str
    ) -> asyncio.Future[Receipt]:
        """Queue a command."""
        ...

    def sends_of(self, principal: Principal) -> Bucket:
        """Return the bucket that counts what *principal* sends."""
        ...

    def encoded(self, feed: Feed, start: int, end: int, items: Sequence[Event]) -> str:
        """Return the events frame of (start, end], made once for all who see the same."""
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


class Session:
    """A client's end in the hub. The transport calls `receive` and `take`, in two tasks."""

    def __init__(
        self, home: Home, sid: str, feed: Feed, client: f.Client, position: int
    ) -> None:
        """Use `Streams.open`."""
        self.home = home
        self.sid = sid
        self.feed = feed
        self.client = client
        self.position = position
        self.epoch, _ = home.log_of(feed.principal.tenant)
        self.on_screen: str | None = None
        self.acked = position
        self.expires_at: float | None = None
        self.expiry_told = False
        self.heard_at = self.sent_at = home.monotonic()
        self.asked_at: float | None = None
        self._clear_to = position
        self._is_behind = True
        self._was_blocked = False
        self._replies: deque[str] = deque()
        self._results: deque[str] = deque()
        self._casts = Casts()
        self._in_flight = 0
        self._room = asyncio.Event()
        self._waiter: asyncio.Future[None] | None = None
        self._close: Close | None = None
        self._is_gone = False
        self._rate = Bucket(home.limits.frames, home.monotonic)

    @property
    def principal(self) -> Principal:
        """Return who this is."""
        return self.feed.principal

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
        self.feed = self.feed.renewed(principal)
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
            if self._is_behind:
                ready += await self._events()
            ready += self._results
            self._results.clear()
            ready += self._casts.take()
            if ready:
                self.sent_at = self.home.monotonic()
                return ready
            if self._close is not None:
                raise Closed(self._close)
            if not self._replies and not self._results and not self._is_behind:
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
        if not self._is_behind:
            self._is_behind = True
            self._clear_to = max(self._clear_to, after)

    def wake(self) -> None:
        """Let `take` go on."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def blocked(self) -> None:
        """Note that the transport could not send for a while."""
        self._was_blocked = True

    def advance(self) -> None:
        """Move the client's cursor to the head although nothing concerned it.

        A cursor that stays far behind makes the next resume expensive.
        """
        tenant = self.principal.tenant
        epoch, head = self.home.log_of(tenant)
        start = self.position
        if not self._is_behind and epoch == self.epoch and start < head:
            self.position = self._clear_to = head
            self.reply(
                f.events(cursors.written(epoch, start), cursors.written(epoch, head), ())
            )

    def close(self, code: Close) -> None:
        """End the session with *code*; the first call counts."""
        if self._close is None:
            self._close = code
            self.wake()
            self._room.set()

    def hang_up(self) -> None:
        """Note that the client is gone: `take` ends."""
        self._is_gone = True
        self.wake()

    async def _events(self) -> list[str]:
        """Return frames for the next part of what is missing, and move the position."""
        tenant = self.principal.tenant
        epoch, head = self.home.log_of(tenant)
        if epoch != self.epoch:
            return [self._reset(epoch, head, "epoch")]
        start = max(self.position, self._clear_to)
        found: Sequence[Event] | None = self.feed.recent(start)
        if found is None:
            raw = await self.feed.page(start, FRAME_EVENTS)
            self._is_behind = len(raw) == FRAME_EVENTS or self.home.log_of(tenant)[1] > head
            end = (
                raw[-1].seq
                if len(raw) == FRAME_EVENTS
                else max(head, raw[-1].seq if raw else 0)
            )
            found = [event for event in raw if self.feed.sees(event)]
        elif len(found) > FRAME_EVENTS:
            found = found[:FRAME_EVENTS]
            end = found[-1].seq
        else:
            self._is_behind = False
            end = head
        erased = [event.seq for event in found if event.kind == ERASED]
        if erased:
            # What the client holds from before is to be dropped, not added to.
            newest = self.home.log_of(tenant)[1]
            return [self._reset(epoch, max(newest, erased[-1]), "erased")]
        told = []
        if self._was_blocked and head - start > LAG_EVENTS:
            told.append(f.plain({"t": "lag", "head": head}))
            self.home.figures.lags.add()
        self._was_blocked = False
        self._clear_to = end
        if found:
            told.append(self.home.encoded(self.feed, self.position, end, found))
            self.position = end
        return told

    def _reset(self, epoch: str, head: int, why: str) -> str:
        self.epoch, self.position, self._clear_to = epoch, head, head
        self._is_behind = False
        where = cursors.written(epoch, head)
        return f.plain({"t": "reset", "cursor": where, "why": why})
