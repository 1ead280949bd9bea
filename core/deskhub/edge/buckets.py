"""Token buckets by key, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from deskhub.stream.limits import Rate

MAX_KEYS = 20_000


class Buckets:
    """One bucket of *rate* for each key; the keys used longest ago are forgotten first.

    A forgotten key starts with a full bucket, which is what a key that waited would have.
    """

    def __init__(
        self, rate: Rate, monotonic: Callable[[], float], limit: int = MAX_KEYS
    ) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._limit = limit
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, cost: float = 1.0) -> float:
        """Take *cost*; returns 0 when there was enough, else the seconds until there is."""
        now = self._monotonic()
        level, at = self._levels.pop(key, (self._rate.burst, now))
        level = min(self._rate.burst, level + (now - at) * self._rate.per_s)
        enough = level >= cost
        self._levels[key] = (level - cost if enough else level, now)
        if len(self._levels) > self._limit:
            self._levels.popitem(last=False)
        return 0.0 if enough else (cost - level) / self._rate.per_s
