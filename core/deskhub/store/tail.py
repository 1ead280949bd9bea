"""The newest part of every tenant's log, in memory, and the way on from any place in it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from deskhub.store.event import Event
from deskhub.store.tombstones import ERASED

RING_EVENTS = 4_096
RING_BYTES = 8 * 1024 * 1024
PAGE = 500
# Who follows a log looks at it again after this long at the earliest: under load that is once
# for many commits, and a task woken for each commit was a tenth of the loop's work (ADR-0024).
PAUSE_S = 0.01

Listener = Callable[[str, Sequence[Event], int], None]
Fetch = Callable[[str, int, int], Awaitable[Sequence[Event]]]


class _Ring:
    """A tenant's recent events: all of (floor, head], also by visitor."""

    __slots__ = ("by_visitor", "bytes", "epoch", "events", "floor", "head")

    def __init__(self, epoch: str, head: int) -> None:
        self.epoch = epoch
        self.head = head
        self.floor = head
        self.bytes = 0
        self.events: deque[Event] = deque()
        self.by_visitor: dict[str, deque[Event]] = {}

    def add(self, event: Event) -> None:
        self.events.append(event)
        self.head = event.seq
        self.bytes += len(event.encoded)
        if event.visitor is not None:
            own = self.by_visitor.get(event.visitor)
            if own is None:
                own = self.by_visitor[event.visitor] = deque()
            own.append(event)
        while len(self.events) > RING_EVENTS or self.bytes > RING_BYTES:
            self._drop()

    def _drop(self) -> None:
        old = self.events.popleft()
        self.floor = old.seq
        self.bytes -= len(old.encoded)
        if old.visitor is not None:
            own = self.by_visitor[old.visitor]
            own.popleft()
            if not own:
                del self.by_visitor[old.visitor]


class Tail:
    """Committed events of this process, the log behind them, and who waits for more."""

    def __init__(self, fetch: Fetch) -> None:
        """Read what the rings no longer hold with *fetch* (tenant, after, limit)."""
        self._fetch = fetch
        self._rings: dict[str, _Ring] = {}
        self._listeners: list[Listener] = []
        self._changed: dict[str, asyncio.Event] = {}
        self._followers: list[_Follower] = []

    def head(self, tenant: str) -> int:
        """Return the last committed seq that this process knows; 0 for an empty log."""
        ring = self._rings.get(tenant)
        return ring.head if ring else 0

    def epoch(self, tenant: str) -> str:
        """Return the tenant's epoch; empty for a log without events."""
        ring = self._rings.get(tenant)
        return ring.epoch if ring else ""

    def tenants(self) -> Sequence[str]:
        """Return the tenants that have a log."""
        return list(self._rings)

    def start(self, tenant: str, epoch: str, head: int) -> None:
        """Say where a tenant's log stands; a changed epoch empties the ring."""
        ring = self._rings.get(tenant)
        if ring is None or ring.epoch != epoch:
            self._rings[tenant] = _Ring(epoch, head)

    def recent(self, tenant: str, after: int, visitor: str | None = None) -> list[Event] | None:
        """Return the events after *after* from memory, or None when it does not reach back.

        With *visitor*, only the events of that visitor's conversations; costs O(result).
        """
        ring = self._rings.get(tenant)
        if ring is None:
            return []
        if after < ring.floor:
            return None
        source = ring.events if visitor is None else ring.by_visitor.get(visitor, ())
        found: list[Event] = []
        for event in reversed(source):
            if event.seq <= after:
                break
            found.append(event)
        found.reverse()
        return found

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call *listener* with (tenant, new events, after) on the loop after each commit.

        The events are those after seq *after*; when the first is not *after* + 1, this process
        missed what lies between, and the log has it. The listener must be quick and must not
        raise. Returns what ends the listening.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def follow(self, tenant: str, after: int) -> AsyncIterator[Sequence[Event]]:
        """Yield every event after *after* in order, in batches: the past first, then live."""
        while True:
            changed = self._changed.get(tenant)
            if changed is None:
                changed = self._changed[tenant] = asyncio.Event()
            events: Sequence[Event] | None = self.recent(tenant, after)
            if events is None:
                events = await self._fetch(tenant, after, PAGE)
            if events:
                after = events[-1].seq
                yield events
                await asyncio.sleep(PAUSE_S)
            else:
                await changed.wait()

    async def follow_all(self) -> AsyncIterator[str]:
        """Yield a tenant whenever it has new events; first every tenant that has a log.

        A tenant that changes several times before it is taken is yielded once.
        """
        follower = _Follower(self._rings)
        self._followers.append(follower)
        try:
            while True:
                yield await follower.next()
                await asyncio.sleep(PAUSE_S)
        finally:
            self._followers.remove(follower)

    def extend(
        self, new: Mapping[str, Sequence[Event]], logs: Mapping[str, tuple[str, int]]
    ) -> None:
        """Take committed events, in order; wake everybody who waits for them.

        *logs* has (epoch, head) of every tenant that was written to, also without events.
        """
        for tenant, (epoch, head) in logs.items():
            events = new.get(tenant, ())
            before = events[0].seq - 1 if events else head
            ring = self._rings.get(tenant)
            if ring is None or ring.epoch != epoch:
                ring = self._rings[tenant] = _Ring(epoch, before)
            fresh = [event for event in events if event.seq > ring.head]
            if fresh:
                self._add(tenant, ring, fresh)

    def _add(self, tenant: str, ring: _Ring, fresh: Sequence[Event]) -> None:
        after = ring.head
        if fresh[0].seq != after + 1:
            # Another process wrote in between: what is missing is read from the database.
            ring = self._rings[tenant] = _Ring(ring.epoch, fresh[0].seq - 1)
        for event in fresh:
            if event.kind == ERASED:
                # What memory holds from before may be the text that was erased.
                ring = self._rings[tenant] = _Ring(ring.epoch, event.seq - 1)
            ring.add(event)
        changed = self._changed.pop(tenant, None)
        if changed is not None:
            changed.set()
        for follower in self._followers:
            follower.add(tenant)
        for listener in self._listeners:
            listener(tenant, fresh, after)


class _Follower:
    """The tenants that one reader has not taken yet."""

    def __init__(self, tenants: Mapping[str, object]) -> None:
        self._tenants = dict.fromkeys(tenants)
        self._ready = asyncio.Event()
        if self._tenants:
            self._ready.set()

    def add(self, tenant: str) -> None:
        self._tenants[tenant] = None
        self._ready.set()

    async def next(self) -> str:
        await self._ready.wait()
        tenant = next(iter(self._tenants))
        del self._tenants[tenant]
        if not self._tenants:
            self._ready.clear()
        return tenant
