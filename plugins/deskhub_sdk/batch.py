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
        if self.cost is None:
            every = list(keys)
            for start in range(0, len(every), self.count):
                yield every[start : start + self.count]
            return
        call: list[K] = []
        spent = 0.0
        for key in keys:
            price = self.cost(key)
            if call and (len(call) >= self.count or spent + price > self.most):
                yield call
                call, spent = [], 0.0
            call.append(key)
            spent += price
        if call:
            yield call


class Batch(Generic[K, V]):
    """Keys with those who wait for each, who counts, and which of them nobody hurries for."""

    __slots__ = ("asked", "background", "meters")

    def __init__(self) -> None:
        # A future for each who waits: who is cancelled takes nothing away from the others.
        self.asked: dict[K, list[asyncio.Future[V | None]]] = {}
        self.meters: dict[K, list[LoaderStats]] = {}
        self.background: set[K] = set()

    def join(
        self, key: K, loop: asyncio.AbstractEventLoop, *, background: bool
    ) -> asyncio.Future[V | None]:
        """Return a future for one waiter more of *key*; who hurries, hurries for all."""
        future: asyncio.Future[V | None] = loop.create_future()
        waiting = self.asked.get(key)
        if waiting is None:
            self.asked[key] = [future]
            if background:
                self.background.add(key)
        else:
            waiting.append(future)
            if not background:
                self.background.discard(key)
        return future

    def refresh(self, key: K) -> None:
        """Ask for *key* with nobody waiting for it."""
        if key not in self.asked:
            self.asked[key] = []
            self.background.add(key)

    def settle(self, key: K, value: V | None) -> None:
        """Give everybody who waits for *key* its value."""
        for future in self.asked.pop(key, ()):
            if not future.done():
                future.set_result(value)

    def fail(self, key: K, error: Exception) -> None:
        """Let everybody who waits for *key* raise *error*."""
        for future in self.asked.pop(key, ()):
            if not future.done():
                future.set_exception(error)
                # Looked at once: when every waiter has left, nobody else will.
                future.exception()

    def cancel(self) -> None:
        """Cancel everybody who waits."""
        for waiting in self.asked.values():
            for future in waiting:
                future.cancel()

    def interactive(self) -> list[K]:
        """Return the keys that somebody waits for in the foreground."""
        if not self.background:
            return list(self.asked)
        return [key for key in self.asked if key not in self.background]

    def drop_forsaken(self) -> None:
        """Drop the keys that everybody who waited for has left."""
        self.cut(
            [
                key
                for key, waiting in self.asked.items()
                if waiting and all(future.done() for future in waiting)
            ]
        )

    def cut(self, keys: Iterable[K]) -> Batch[K, V]:
        """Take *keys* out and return them as a batch of their own."""
        first: Batch[K, V] = Batch()
        for key in keys:
            first.asked[key] = self.asked.pop(key)
            if key in self.meters:
                first.meters[key] = self.meters.pop(key)
            if key in self.background:
                self.background.discard(key)
                first.background.add(key)
        return first
