"""Keys that a loader asks for together: who waits, who counts, how they become calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote

if TYPE_CHECKING:
    from deskhub_sdk.loader import LoaderStats

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def url_chars(key: object) -> int:
    """Return what *key* takes in an address, its comma included: a cost for `Size`."""
    return len(quote(str(key), safe="")) + 1


@dataclass(frozen=True, slots=True)
class Size(Generic[K]):
    """How much one call carries: at most *count* keys, and *most* of their *cost*."""

    count: int
    cost: Callable[[K], float] | None = None
    most: float = 0.0

    def cut(self, keys: Iterable[K]) -> Iterator[list[K]]:
        """Yield *keys* in calls, in order; a key that is too dear alone goes alone."""
        call: list[K] = []
        spent = 0.0
        for key in keys:
            price = self.cost(key) if self.cost is not None else 0.0
            if call and (
                len(call) >= self.count or (self.cost is not None and spent + price > self.most)
            ):
                yield call
                call, spent = [], 0.0
            call.append(key)
            spent += price
        if call:
            yield call


class Batch(Generic[K, V]):
    """Keys with the future of each, how many wait for it, and whether nobody hurries."""

    __slots__ = ("background", "futures", "meters", "waiters")

    def __init__(self) -> None:
        self.futures: dict[K, asyncio.Future[V | None]] = {}
        self.meters: dict[K, list[LoaderStats]] = {}
        self.waiters: dict[K, int] = {}
        self.background: set[K] = set()

    def join(
        self, key: K, loop: asyncio.AbstractEventLoop, *, background: bool
    ) -> asyncio.Future[V | None]:
        """Return the future of *key*, for one waiter more; who hurries, hurries for all."""
        future = self.futures.get(key)
        if future is None:
            future = self.futures[key] = loop.create_future()
            if background:
                self.background.add(key)
        elif not background:
            self.background.discard(key)
        self.waiters[key] = self.waiters.get(key, 0) + 1
        return future

    def leave(self, key: K, future: asyncio.Future[V | None]) -> None:
        """Take note that one waiter left; a key nobody waits for is not asked for."""
        if self.futures.get(key) is not future:
            return
        self.waiters[key] -= 1
        if self.waiters[key] == 0:
            for kept in (self.futures, self.meters, self.waiters):
                kept.pop(key, None)
            self.background.discard(key)

    def interactive(self) -> list[K]:
        """Return the keys that somebody waits for in the foreground."""
        if not self.background:
            return list(self.futures)
        return [key for key in self.futures if key not in self.background]

    def cut(self, keys: Iterable[K]) -> Batch[K, V]:
        """Take *keys* out and return them as a batch of their own."""
        first: Batch[K, V] = Batch()
        for key in keys:
            first.futures[key] = self.futures.pop(key)
            first.waiters[key] = self.waiters.pop(key, 0)
            if key in self.meters:
                first.meters[key] = self.meters.pop(key)
            if key in self.background:
                self.background.discard(key)
                first.background.add(key)
        return first
