"""The batch loader: single look-ups leave together, and nothing has to wait for a timer.

All loads of one event-loop turn form a batch. While a batch is in flight, later loads
collect for the next one. So 300 look-ups of one turn become ⌈300 ÷ max_batch⌉ calls, and at
most one more when they trickle in, where a turn-only loader would make one call a turn. A
window of some milliseconds saves that one as well, where a call is dearer than the wait.
Whoever loads in the background leaves after everybody else, one call at a time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from deskhub_sdk.batch import Batch, Size
from deskhub_sdk.errors import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class LoaderStats:
    """What the card's call explainer shows: look-ups asked, calls made, calls saved."""

    loads: int = 0
    hits: int = 0
    calls: int = 0
    keys: int = 0
    failed: int = 0
    ms: float = 0.0

    @property
    def saved(self) -> int:
        """Return how many calls a caller without the loader would have made on top."""
        return max(0, self.loads - self.calls)

    def minus(self, other: LoaderStats) -> LoaderStats:
        """Return what was added since *other*, an earlier copy."""
        return LoaderStats(
            self.loads - other.loads, self.hits - other.hits, self.calls - other.calls,
            self.keys - other.keys, self.failed - other.failed, self.ms - other.ms,
        )  # fmt: skip

    def copy(self) -> LoaderStats:
        """Return the figures as they stand."""
        return LoaderStats(self.loads, self.hits, self.calls, self.keys, self.failed, self.ms)


# Where the question being answered counts its look-ups and calls; the host sets it for each
# call of a hook, so that panels that load at the same time do not count each other's.
metered: ContextVar[LoaderStats | None] = ContextVar("deskhub_metered", default=None)


MAX_PARALLEL = 8


class Loader(Generic[K, V]):
    """Collects `load` calls into calls of *fetch*.

    A key without an answer is None; a key whose answer is an exception raises it. A batch
    that raises `BatchRefused` is retried in halves, so that one bad id cannot spoil the
    others; it alone raises. What *fetch* answers beyond what was asked (a tree with its
    branches) is kept too, and whoever waits for it has it.

    Values stay for *ttl_s* seconds, at most *max_entries* of them, least recently used out
    first. For *stale_s* more they are still given at once, while a new one is loaded in the
    background. With *cost* a call carries at most *max_cost* of it: `deskhub_sdk.url_chars`
    and 1800 for ids that travel in an address.
    """

    def __init__(
        self,
        fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        *,
        max_batch: int = 100,
        ttl_s: float = 30.0,
        stale_s: float = 0.0,
        window_ms: float = 0.0,
        cost: Callable[[K], float] | None = None,
        max_cost: float = 0.0,
        max_entries: int = 10_000,
        stats: LoaderStats | None = None,
    ) -> None:
        """Collect for *fetch*; *ttl_s* = 0 keeps nothing beyond the flight.

        With *window_ms* a batch waits that long for company, unless it is full before.
        """
        if max_batch < 1:
            raise ValueError(f"max_batch must be at least 1, got {max_batch}")
        self._fetch = fetch
        self._size = Size(max_batch, cost, max_cost)
        self._ttl_s = ttl_s
        self._stale_s = stale_s
        self._window_s = window_ms / 1000
        self._max_entries = max_entries
        self._kept: OrderedDict[K, tuple[float, V | None]] = OrderedDict()
        self._waiting: Batch[K, V] = Batch()
        self._flying: Batch[K, V] = Batch()
        self._full = asyncio.Event()
        self._parallel = asyncio.Semaphore(MAX_PARALLEL)
        self._pump: asyncio.Task[None] | None = None
        self._has_left = False
        self.stats = stats or LoaderStats()

    async def load(self, key: K, *, background: bool = False) -> V | None:
        """Return the value of *key*, or None when the far side knows none.

        Raises what *fetch* raised for this key. Cancelling one waiter does not cancel the
        batch for the others; a key that nobody waits for any more is not asked for. In the
        *background* it leaves when nobody else wants anything.
        """
        try:
            return await self._ask(key, background=background)
        except asyncio.CancelledError:
            self._has_left = True
            raise

    async def load_many(
        self, keys: Iterable[K], *, background: bool = False
    ) -> dict[K, V | None]:
        """Return the values of *keys*; raises the first failure among them."""
        asked = {key: self._ask(key, background=background) for key in keys}
        try:
            return {key: await future for key, future in asked.items()}
        except BaseException:
            # Whoever leaves early leaves all of it.
            self._has_left = True
            for future in asked.values():
                future.cancel()
            raise

    def prime(self, key: K, value: V) -> None:
        """Put a *value* that arrived otherwise (a webhook) in place of the kept one."""
        self._keep(key, value, monotonic() + self._ttl_s)

    def forget(self, key: K) -> None:
        """Drop *key*, so that the next load asks the far side."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Drop every kept value: somebody wants all of it fresh."""
        self._kept.clear()

    async def close(self) -> None:
        """Cancel what is under way; waiters get `asyncio.CancelledError`."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])

    def _ask(self, key: K, *, background: bool = False) -> asyncio.Future[V | None]:
        meter = metered.get()
        self.stats.loads += 1
        if meter is not None:
            meter.loads += 1
        loop = asyncio.get_running_loop()
        kept = self._kept.get(key)
        if kept is not None and (left_s := kept[0] - monotonic()) > -self._stale_s:
            if left_s <= 0:
                self._refresh(key, loop)
            self._kept.move_to_end(key)
            self.stats.hits += 1
            if meter is not None:
                meter.hits += 1
            done: asyncio.Future[V | None] = loop.create_future()
            done.set_result(kept[1])
            return done
        if key in self._flying.asked:
            return self._flying.join(key, loop, background=background)
        future = self._waiting.join(key, loop, background=background)
        if self._pump is None or self._pump.done():
            self._start(loop)
        if meter is not None:
            self._waiting.meters.setdefault(key, []).append(meter)
        if self._window_s > 0 and len(self._waiting.asked) >= self._size.count:
            self._full.set()
        return future

    def _refresh(self, key: K, loop: asyncio.AbstractEventLoop) -> None:
        """Load *key* anew with nobody waiting for it; a failure leaves the old value."""
        if key not in self._flying.asked:
            self._waiting.refresh(key)
            if self._pump is None or self._pump.done():
                self._start(loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        # A batch serves everybody: what it asks the far side is counted by the batch and not
        # by whoever happened to come first.
        context = copy_context()
        context.run(metered.set, None)
        # Owned: loop. The loader owns its pump, which ends by itself when nothing waits;
        # close() waits for it.
        self._pump = loop.create_task(self._run(), name="loader", context=context)

    async def _run(self) -> None:
        """Send batches until nothing waits."""
        try:
            while self._waiting.asked:
                # One more turn, so that every load of this turn is on board.
                await asyncio.sleep(0)
                await self._collect()
                if self._has_left:
                    self._has_left = False
                    self._waiting.drop_forsaken()
                self._flying = self._waiting.cut(self._next())
                self._full.clear()
                async with asyncio.TaskGroup() as group:
                    for call in self._size.cut(list(self._flying.asked)):
                        group.create_task(self._send(call), name="loader-call")
                self._flying = Batch()
        finally:
            self._flying.cancel()
            self._waiting.cancel()
            self._flying, self._waiting = Batch(), Batch()

    async def _collect(self) -> None:
        """Wait for company as long as the window says, or until a batch is full."""
        if self._window_s <= 0:
            return
        try:
            async with asyncio.timeout(self._window_s):
                await self._full.wait()
        except TimeoutError:
            return

    def _next(self) -> list[K]:
        """Return the keys that leave now: with a window only full calls, if there is one.

        In the background one call at a time leaves, so that whoever comes then waits for one.
        """
        keys = self._waiting.interactive()
        if not keys:
            return next(self._size.cut(self._waiting.asked), [])
        full = len(keys) - len(keys) % self._size.count
        return keys[:full] if self._window_s > 0 and full else keys

    async def _send(self, keys: list[K]) -> None:
        async with self._parallel:
            await self._call(keys)

    async def _call(self, keys: list[K]) -> None:
        self._count(keys)
        started = monotonic()
        try:
            answer = await self._fetch(tuple(keys))
            values = [answer.get(key) for key in keys]
            more = [] if len(answer) <= len(keys) else list(answer.items())
            asked = self._flying.asked.keys() | set(keys) if more else set()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Something inside was cancelled, not this batch: its waiters must hear of it.
            self._fail(keys, Unavailable("the call was cancelled on its way"))
            return
        except Exception as error:  # noqa: BLE001  the failure belongs to the waiters
            await self._divide(keys, error)
            return
        finally:
            self.stats.ms += (monotonic() - started) * 1000
        until, settle = monotonic() + self._ttl_s, self._flying.settle
        for key, value in zip(keys, values, strict=True):
            if isinstance(value, Exception):
                self._fail([key], value)
            else:
                self._keep(key, value, until)
                settle(key, value)
        if more:
            self._expand([(key, value) for key, value in more if key not in asked], until)

    def _expand(self, more: list[tuple[K, V]], until: float) -> None:
        """Keep what a call brought without being asked, and give it to whoever waits for it."""
        for key, value in more:
            if isinstance(value, Exception):
                continue
            self._keep(key, value, until)
            if key in self._waiting.asked:
                self._waiting.cut([key]).settle(key, value)

    def _count(self, keys: list[K]) -> None:
        self.stats.calls += 1
        self.stats.keys += len(keys)
        asking = self._flying.meters
        meters = {id(meter): meter for key in keys for meter in asking.get(key, ())}
        for meter in meters.values():
            meter.calls += 1

    async def _divide(self, keys: list[K], error: Exception) -> None:
        """Retry halves of a failed batch, unless the failure is not about single keys."""
        if len(keys) == 1 or not getattr(error, "divisible", False):
            self._fail(keys, error)
            return
        middle = len(keys) // 2
        await self._call(keys[:middle])
        await self._call(keys[middle:])

    def _fail(self, keys: list[K], error: Exception) -> None:
        self.stats.failed += len(keys)
        for key in keys:
            self._flying.fail(key, error)

    def _keep(self, key: K, value: V | None, until: float) -> None:
        if self._ttl_s <= 0:
            return
        kept = self._kept
        if key in kept:
            kept.move_to_end(key)
        kept[key] = (until, value)
        while len(kept) > self._max_entries:
            kept.popitem(last=False)


class BatchRefused(Exception):
    """Raised by *fetch* when the far side refused a whole batch because of some id in it."""

    divisible = True
