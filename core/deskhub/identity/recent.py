"""Answers that may be a little old: a bounded memory for what is asked on every request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from deskhub.clock import Clock

MAX_ENTRIES = 50_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps answers for *fresh_s* seconds, at most *limit* of them.

    An answer that was asked for before a `forget` is not kept: it may describe the time
    before the change.
    """

    def __init__(self, clock: Clock, fresh_s: float, limit: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._fresh_s = fresh_s
        self._limit = limit
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._generation = 0

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """Return the kept answer for *key*, or *ask* and keep it."""
        kept = self._kept.get(key)
        # The age counts from the question: the answer may be older than its arrival.
        asked_at = self._clock.monotonic()
        if kept is not None and asked_at - kept[0] < self._fresh_s:
            return kept[1]
        generation = self._generation
        answer = await ask()
        if generation == self._generation:
            self._kept[key] = (asked_at, answer)
            self._kept.move_to_end(key)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return answer

    def forget(self, key: K) -> None:
        """Ask anew for *key* next time."""
        self._generation += 1
        self._kept.pop(key, None)

    def forget_where(self, matches: Callable[[K, V], bool]) -> None:
        """Ask anew for every entry that *matches*; costs a look at each."""
        self._generation += 1
        for key in [key for key, (_, value) in self._kept.items() if matches(key, value)]:
            del self._kept[key]

    def clear(self) -> None:
        """Ask anew for everything."""
        self._generation += 1
        self._kept.clear()
