"""The loaders of one instance: each fetch function has one, whoever asks for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from deskhub_sdk.loader import Loader, LoaderStats

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loaders:
    """The part of every context that makes loaders; *stats* sums up what all of them did."""

    def __init__(self) -> None:
        """Start without loaders."""
        self.stats = LoaderStats()
        self._loaders: dict[Hashable, Loader[Any, Any]] = {}

    def loader(
        self,
        fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        *,
        max_batch: int = 100,
        ttl_s: float = 30.0,
        stale_s: float = 0.0,
        window_ms: float = 0.0,
        cost: Callable[[K], float] | None = None,
        max_cost: float = 0.0,
    ) -> Loader[K, V]:
        """Return the one loader of *fetch*; the first call's settings count."""
        found = self._loaders.get(fetch)
        if found is None:
            found = Loader(
                fetch, max_batch=max_batch, ttl_s=ttl_s, stale_s=stale_s, window_ms=window_ms,
                cost=cost, max_cost=max_cost, stats=self.stats,
            )  # fmt: skip
            self._loaders[fetch] = found
        return found

    def forget_loaded(self) -> None:
        """Drop what the loaders keep, so that the next look-up asks the far side."""
        for loader in self._loaders.values():
            loader.clear()

    async def close_loaders(self) -> None:
        """End every loader."""
        for loader in self._loaders.values():
            await loader.close()
        self._loaders.clear()
