"""One end of the socket: asks the other side, answers it, and notices when it is gone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec

from deskhub_sdk.errors import Malformed, NotSent, OutcomeUnknown
from deskhub_sdk.loader import LoaderStats, metered
from deskhub_sdk.worker import frames
from deskhub_sdk.worker.failures import error_of, failure_of
from deskhub_sdk.worker.frames import Ask, Done, Failed, Garbage, Leave, Meter, Tell

MAX_INBOUND = 128

Handler = Callable[[Ask], Awaitable[msgspec.Raw]]
Listener = Callable[[Tell], None]


class Gone(OutcomeUnknown):
    """The other side ended during the call."""


class Peer(asyncio.Protocol):
    """Frames both ways over one connection.

    *handle* answers calls, *told* takes facts, *lost* learns once why the connection ended:
    None for an orderly end. Of calls that arrive, at most 128 run; then reading pauses.
    """

    def __init__(
        self,
        handle: Handler,
        told: Listener,
        lost: Callable[[Exception | None], None],
        *,
        crashed: Callable[[str], Exception] = OutcomeUnknown,
    ) -> None:
        """Connect it with ``loop.create_connection`` or one of its like."""
        self._handle = handle
        self._told = told
        self._lost = lost
        self._crashed = crashed
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._asked: dict[int, asyncio.Future[Done | Failed]] = {}
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._number = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._later: deque[Ask] = deque()
        self.closed = asyncio.Event()

    async def ask(self, target: str, *arguments: object, deadline_s: float = 0.0) -> bytes:
        """Return the answer's msgpack. Raises the other side's error, or `Gone`.

        Cancelling it cancels the work over there.
        """
        return await self.ask_raw(target, frames.raw(arguments), deadline_s=deadline_s)

    async def ask_raw(
        self, target: str, arguments: msgspec.Raw, *, deadline_s: float = 0.0
    ) -> bytes:
        """`ask` with arguments that are encoded already."""
        await self._writable.wait()
        self._number += 1
        number = self._number
        future: asyncio.Future[Done | Failed] = asyncio.get_running_loop().create_future()
        try:
            self._send(Ask(number, target, arguments, deadline_s))
        except Garbage as error:
            raise Malformed(f"{target}: {error}") from error
        self._asked[number] = future
        try:
            answer = await future
        except asyncio.CancelledError:
            if not self.closed.is_set():
                self._send(Leave(number))
            raise
        finally:
            self._asked.pop(number, None)
        _count(answer.meter)
        if isinstance(answer, Failed):
            raise error_of(answer, self._crashed)
        return bytes(answer.value)

    def tell(self, target: str, *arguments: object) -> None:
        """Say something that wants no answer; dropped when the other side does not read."""
        if self._writable.is_set() and not self.closed.is_set():
            self._send(Tell(target, frames.raw(arguments)))

    async def close(self) -> None:
        """End the connection and everything that runs for the other side."""
        if self._transport is not None:
            self._transport.abort()
            await self.closed.wait()
        for task in list(self._serving.values()):
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving.values(), timeout=1.0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take whole frames out of what arrived; anything else ends the connection."""
        self._buffer += data
        try:
            while not self.closed.is_set() and (frame := frames.take(self._buffer)) is not None:
                self._take(frame)
        except Garbage as error:
            self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail everything that still waits for the other side."""
        self._end(exc)

    def pause_writing(self) -> None:
        """Let new calls wait: the other side does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let calls leave again."""
        self._writable.set()

    def _take(self, frame: frames.Frame) -> None:
        match frame:
            case Ask():
                if len(self._serving) < MAX_INBOUND:
                    self._serve(frame)
                else:
                    self._later.append(frame)
                    self._reading(on=False)
            case Done() | Failed():
                future = self._asked.get(frame.id)
                if future is not None and not future.done():
                    future.set_result(frame)
            case Leave():
                if (task := self._serving.get(frame.id)) is not None:
                    task.cancel()
            case Tell():
                self._told(frame)

    def _serve(self, ask: Ask) -> None:
        loop = asyncio.get_running_loop()
        # Owned: loop. `close` cancels it and waits for it.
        task = loop.create_task(self._answer(ask), name=f"serve:{ask.target}")
        self._serving[ask.id] = task
        task.add_done_callback(lambda task: self._served(ask.id, task))

    def _served(self, number: int, task: asyncio.Task[None]) -> None:
        self._serving.pop(number, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Not even a failure could be sent: out of memory, or a broken connection.
            self._end(error if isinstance(error, Exception) else None)
        if self._later and len(self._serving) < MAX_INBOUND:
            self._serve(self._later.popleft())
            if not self._later:
                self._reading(on=True)

    async def _answer(self, ask: Ask) -> None:
        meter = LoaderStats()
        metered.set(meter)
        try:
            async with asyncio.timeout(ask.deadline_s or None):
                value = await self._handle(ask)
            frame: Done | Failed = Done(ask.id, value, _counts(meter))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            gone = OutcomeUnknown("the work was cancelled on its way")
            frame = failure_of(ask.id, gone, _counts(meter))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  every failure is an answer
            frame = failure_of(ask.id, error, _counts(meter))
        if self.closed.is_set():
            return
        try:
            self._send(frame)
        except Garbage as error:
            self._send(failure_of(ask.id, Malformed(f"the answer to {ask.target} is {error}")))

    def _send(self, frame: frames.Frame) -> None:
        if self._transport is None or self.closed.is_set():
            raise NotSent("the adapter's process has ended")
        self._transport.write(frames.encode(frame))

    def _reading(self, *, on: bool) -> None:
        if self._transport is not None and not self.closed.is_set():
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    def _end(self, why: Exception | None) -> None:
        if self.closed.is_set():
            return
        self.closed.set()
        self._writable.set()
        if self._transport is not None:
            self._transport.abort()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(Gone("the adapter's process ended during the call"))
                future.exception()
        for task in self._serving.values():
            task.cancel()
        self._lost(why)


def _count(meter: Meter | None) -> None:
    """Add what the other side counted to whoever asked."""
    mine = metered.get()
    if mine is None or meter is None:
        return
    mine.loads += meter[0]
    mine.hits += meter[1]
    mine.calls += meter[2]
    mine.keys += meter[3]
    mine.failed += meter[4]
    mine.ms += meter[5]


def _counts(meter: LoaderStats) -> Meter | None:
    if not meter.loads:
        return None
    return (meter.loads, meter.hits, meter.calls, meter.keys, meter.failed, meter.ms)
