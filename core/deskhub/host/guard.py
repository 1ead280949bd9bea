"""What stands between the hub and one instance: bulkhead, breaker and figures.

The bulkhead bounds how much of the hub one instance can hold, the breaker stops asking who
does not answer, the figures say what happened. One guard belongs to one instance, which
belongs to one tenant.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from deskhub.figures import Spread
from deskhub.host.errors import InstanceBusy
from deskhub_sdk import (
    AdapterError,
    Conflict,
    Forged,
    NeedsPerson,
    NotFound,
    Rejected,
)

IN_FLIGHT = 16
WAITING = 64
WINDOW_S = 30.0
LEAST_CALLS = 20
FAILED_SHARE = 0.5
OPEN_S = 30.0
LONGEST_OPEN_S = 300.0

# Answers that say the far side works, even though they are errors.
_HEALTHY = (NotFound, Rejected, Conflict, NeedsPerson, Forged)

Phase = Literal["closed", "open", "probing"]


class Bulkhead:
    """At most *in_flight* calls run and *waiting* wait; the next one is refused at once.

    A call holds its place until its code really ended, also when nobody waits for it any
    more: abandoned calls that never end must not be able to pile up.
    """

    def __init__(self, in_flight: int = IN_FLIGHT, waiting: int = WAITING) -> None:
        """Allow *in_flight* calls at a time and a queue of *waiting*."""
        self._free = in_flight
        self._all = in_flight
        self._limit = waiting
        self._queue: deque[asyncio.Future[None]] = deque()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """Return how many calls wait for a place."""
        return sum(not place.done() for place in self._queue)

    @property
    def in_flight(self) -> int:
        """Return how many calls run."""
        return self._all - self._free

    async def drained(self, at_most_s: float) -> bool:
        """Wait until nothing runs; return False when that takes longer than *at_most_s*."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def resize(self, in_flight: int) -> None:
        """Allow *in_flight* calls from now on; those that run beyond it are let end."""
        self._free += in_flight - self._all
        self._all = in_flight
        while self._free > 0 and self._queue:
            place = self._queue.popleft()
            if not place.done():
                self._free -= 1
                place.set_result(None)

    async def __aenter__(self) -> None:
        """Take a place, first come first served. Raises `InstanceBusy` when all are taken."""
        if self._free > 0 and not self._queue:
            self._free -= 1
            self._idle.clear()
            return
        if self.waiting >= self._limit:
            raise InstanceBusy("too many calls are under way", retry_after_s=1.0)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                # The place was handed over in the same turn as the cancellation.
                self._release()
            elif place in self._queue:
                self._queue.remove(place)
            raise

    async def __aexit__(self, *_: object) -> None:
        """Hand the place to the first who waits."""
        self._release()

    def _release(self) -> None:
        while self._queue and self._free >= 0:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
        if self._free == self._all:
            self._idle.set()


class Breaker:
    """Stops calls for a while when at least half of enough calls failed.

    After the pause exactly one call is let through; its outcome decides.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Measure time with *monotonic*, in seconds."""
        self._now = monotonic
        self._calls: deque[tuple[float, bool]] = deque()
        self._failed = 0
        self._open_until = 0.0
        self.phase: Phase = "closed"

    def admit(self) -> bool:
        """Return whether this call is the probe. Raises `InstanceBusy` while open."""
        if self.phase == "closed":
            return False
        now = self._now()
        if self.phase == "probing" or now < self._open_until:
            raise InstanceBusy(
                "it failed too often; waiting before the next try",
                retry_after_s=max(1.0, self._open_until - now),
            )
        self.phase = "probing"
        return True

    def record(
        self, *, ok: bool, probe: bool = False, retry_after_s: float | None = None
    ) -> None:
        """Count one outcome; *probe* is what `admit` returned for that call."""
        if probe:
            self._calls.clear()
            self._failed = 0
            if ok:
                self.phase = "closed"
            else:
                self._open(retry_after_s)
            return
        if self.phase != "closed":
            return
        now = self._now()
        self._calls.append((now, ok))
        self._failed += not ok
        while self._calls[0][0] < now - WINDOW_S:
            self._failed -= not self._calls.popleft()[1]
        if (
            not ok
            and len(self._calls) >= LEAST_CALLS
            and self._failed >= FAILED_SHARE * len(self._calls)
        ):
            self._open(retry_after_s)

    def give_back(self, *, probe: bool) -> None:
        """Take note that an admitted call said nothing; the next one may be the probe."""
        if probe and self.phase == "probing":
            self.phase = "open"

    def _open(self, retry_after_s: float | None) -> None:
        self.phase = "open"
        pause = min(LONGEST_OPEN_S, max(OPEN_S, retry_after_s or 0.0))
        self._open_until = self._now() + pause


@dataclass(slots=True)
class Figures:
    """What an instance has done since the hub started."""

    calls: int = 0
    errors: int = 0
    late: int = 0
    busy: int = 0
    http_calls: int = 0
    http_retries: int = 0
    durations_ms: deque[float] = field(default_factory=lambda: deque(maxlen=256))
    seconds: Spread = field(default_factory=Spread)

    @property
    def p95_ms(self) -> float:
        """Return the time under which 95 of 100 recent calls stayed; 0 without any."""
        if not self.durations_ms:
            return 0.0
        ordered = sorted(self.durations_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


class Ticket:
    """One admitted call; the first outcome counts, the others are ignored."""

    __slots__ = ("_guard", "_probe", "_settled", "_started")

    def __init__(self, guard: Guard, *, probe: bool) -> None:
        """Remember when the call began and whether it is the breaker's probe."""
        self._guard = guard
        self._probe = probe
        self._settled = False
        self._started = guard.monotonic()

    @property
    def ms(self) -> float:
        """Return the milliseconds since the call was admitted."""
        return (self._guard.monotonic() - self._started) * 1000

    def ok(self) -> None:
        """Count a good answer."""
        if self._settle():
            self._guard.breaker.record(ok=True, probe=self._probe)

    def failed(self, error: BaseException) -> None:
        """Count a failure, unless it only tells that the far side works and says no."""
        if not self._settle():
            return
        if isinstance(error, InstanceBusy):
            self._guard.figures.busy += 1
            self._guard.breaker.give_back(probe=self._probe)
        elif isinstance(error, _HEALTHY):
            self._guard.breaker.record(ok=True, probe=self._probe)
        else:
            self._guard.figures.errors += 1
            retry = error.retry_after_s if isinstance(error, AdapterError) else None
            self._guard.breaker.record(ok=False, probe=self._probe, retry_after_s=retry)

    def late(self, *, hub_lagged: bool = False) -> None:
        """Count a missed deadline; not against the adapter when the hub itself was slow."""
        if not self._settle():
            return
        self._guard.figures.late += 1
        if hub_lagged:
            self._guard.breaker.give_back(probe=self._probe)
        else:
            self._guard.breaker.record(ok=False, probe=self._probe)

    def dropped(self) -> None:
        """Take the call back: its caller left, so it says nothing about the adapter."""
        if not self._settled:
            self._settled = True
            self._guard.breaker.give_back(probe=self._probe)

    def ended(self, task: asyncio.Task[object]) -> None:
        """Settle by how *task* ended, unless the deadline has already done so."""
        if task.cancelled():
            self.dropped()
        elif (error := task.exception()) is not None:
            self.failed(error)
        else:
            self.ok()

    def _settle(self) -> bool:
        if self._settled:
            return False
        self._settled = True
        self._guard.figures.calls += 1
        ms = self.ms
        self._guard.figures.durations_ms.append(ms)
        self._guard.figures.seconds.observe(ms / 1000)
        return True


class Guard:
    """Bulkhead, breaker and figures of one instance."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        in_flight: int = IN_FLIGHT,
        waiting: int = WAITING,
    ) -> None:
        """Measure time with *monotonic*, in seconds."""
        self.monotonic = monotonic
        self.bulkhead = Bulkhead(in_flight, waiting)
        self.breaker = Breaker(monotonic)
        self.figures = Figures()

    def admit(self) -> Ticket:
        """Return the ticket of a call that may start. Raises `InstanceBusy` while open."""
        try:
            return Ticket(self, probe=self.breaker.admit())
        except InstanceBusy:
            self.figures.busy += 1
            raise
