"""What one connection may do, and the buckets that count it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

SENDERS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """*per_s* on average, *burst* at once."""

    per_s: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of the protocol's table."""

    frame_bytes: int = 64 * 1024
    in_flight: int = 32
    hello_s: float = 5.0
    stuck_s: float = 15.0
    heartbeat_s: float = 25.0
    heartbeat_jitter_s: float = 2.0
    answer_s: float = 10.0
    resume_events: int = 2_000
    resume_bytes: int = 1024 * 1024
    agent_sends: Rate = Rate(20, 40)
    visitor_sends: Rate = Rate(2, 10)
    # Above every honest use: what exceeds it is a broken or hostile client.
    frames: Rate = Rate(100, 200)
    agent_sockets: int = 20
    visitor_sockets: int = 5
    typing_s: float = 3.0


class Bucket:
    """A token bucket."""

    __slots__ = ("_at", "_level", "_monotonic", "_rate")

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        """Start full."""
        self._rate = rate
        self._monotonic = monotonic
        self._level = rate.burst
        self._at = monotonic()

    def take(self) -> float:
        """Take one; returns 0.0 when there was one, else the seconds until there is."""
        now = self._monotonic()
        level = min(self._rate.burst, self._level + (now - self._at) * self._rate.per_s)
        self._at = now
        if level >= 1.0:
            self._level = level - 1.0
            return 0.0
        self._level = level
        return (1.0 - level) / self._rate.per_s


class Senders:
    """One bucket for each person, however many connections they have, in bounded memory."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        """Count by *limits*."""
        self._limits = limits
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def bucket(self, tenant: str, by: str) -> Bucket:
        """Return the bucket of *by*; who was not heard of for long starts full."""
        key = (tenant, by)
        bucket = self._buckets.get(key)
        if bucket is None:
            visitor = by.startswith("visitor:")
            rate = self._limits.visitor_sends if visitor else self._limits.agent_sends
            bucket = self._buckets[key] = Bucket(rate, self._monotonic)
            if len(self._buckets) > SENDERS_MAX:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return bucket
