"""Open-loop load: messages leave when they are due, whether or not earlier ones have come back.

A latency counts from the moment a message was due, so that a server that stalls is charged for
everything that had to wait (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.load.programs import Program

BURST = 3


@dataclass(frozen=True)
class Figures:
    """What one rate gave. Milliseconds from due to arrival at the agent; CPU of the server.

    *client* is how busy the client's core was with us: near 1 it measures itself.
    """

    rate: int
    sent: int
    arrived: int
    p50_ms: float
    p99_ms: float
    cpu_us: float
    client: float
    late_ms: Sequence[tuple[float, float]] = field(repr=False, default=())

    @property
    def is_complete(self) -> bool:
        return self.arrived == self.sent

    def p99_between(self, start_s: float, end_s: float) -> float:
        """Return the p99 of the messages that were due in that part of the run."""
        part = [ms for at, ms in self.late_ms if start_s <= at < end_s]
        return percentile(part, 0.99)


class Talker(Protocol):
    """A server with its clients connected, whatever they speak."""

    name: str
    server: Program
    arrived: list[tuple[float, float]]

    async def connect(self) -> None:
        """Let everybody in."""
        ...

    def write(self, number: int, due: float) -> None:
        """Send message *number*; its text is `text_of`."""
        ...

    def closed(self) -> int:
        """Return how many connections were lost."""
        ...


def text_of(number: int, due: float) -> str:
    """Return a text of a usual length that says when it was due."""
    return f"due {due:.6f} 您好, where is my order number {number}? It should be here."


def arrivals(frame: bytes, into: list[tuple[float, float]]) -> None:
    """Note (due, now) for each of our texts in *frame*."""
    now, at = time.perf_counter(), frame.find(b"due ")
    while at >= 0:
        at += 4
        end = frame.index(b" ", at)
        into.append((float(frame[at:end]), now))
        at = frame.find(b"due ", end)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that *share* of *values* do not exceed; infinite when there are none."""
    ordered = sorted(values)
    if not ordered:
        return math.inf
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def measure(talker: Talker, *parts: tuple[int, float]) -> Figures:
    """Offer each part's rate for its seconds, one after the other."""
    talker.arrived.clear()
    sent, began = 0, time.perf_counter()
    cpu, own = talker.server.cpu_s(), time.process_time()
    for rate, seconds in parts:
        first = sent

        def write(number: int, due: float, first: int = first) -> None:
            talker.write(first + number, due)

        sent += await offered(rate, seconds, write, random.randrange(2**32))
    await _until(lambda: len(talker.arrived) >= sent)
    cpu, own = talker.server.cpu_s() - cpu, time.process_time() - own
    gone = talker.closed()
    if gone:
        raise RuntimeError(f"{gone} connections were closed: this run measures nothing")
    late = [(due - began, (now - due) * 1e3) for due, now in talker.arrived]
    ms = [one for _, one in late]
    return Figures(
        parts[0][0], sent, len(late), percentile(ms, 0.5), percentile(ms, 0.99),
        cpu / max(1, sent) * 1e6, own / (time.perf_counter() - began), late,
    )  # fmt: skip


async def offered(
    rate: int, seconds: float, send: Callable[[int, float], None], seed: int
) -> int:
    """Call *send* (number, due time) as a Poisson process; return how many."""
    dice = random.Random(seed)
    due, number = time.perf_counter() + 0.01, 0
    end = due + seconds
    while due < end:
        now = time.perf_counter()
        while due <= now and due < end:
            send(number, due)
            number += 1
            due += dice.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    return number


async def _until(is_done: Callable[[], bool]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(8):
            while not is_done():
                await asyncio.sleep(0.01)
