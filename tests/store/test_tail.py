"""The tail: whoever follows a log misses nothing, from wherever they start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from deskhub.store import tail as tails
from deskhub.store.event import Event
from deskhub.store.tail import Tail

AT = datetime(2026, 11, 23, tzinfo=UTC)


def event(seq: int, visitor: str | None = "v_1", tenant: str = "main") -> Event:
    return Event(
        tenant, seq, AT, "message.posted", "c_1", "all", "agent:a_1", None, b"{}", b"{}",
        "web", visitor, None,
    )  # fmt: skip


class Log:
    """Everything that was ever committed, as the database would have it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.tail = Tail(self.fetch)

    async def fetch(self, tenant: str, after: int, limit: int) -> Sequence[Event]:
        await asyncio.sleep(0)
        return [one for one in self.events if one.seq > after][:limit]

    def commit(self, *events: Event) -> None:
        self.events += events
        self.tail.extend({"main": events}, {"main": ("e", events[-1].seq)})


async def followed(log: Log, after: int, upto: int) -> list[int]:
    seqs: list[int] = []
    async with asyncio.timeout(5):
        async for events in log.tail.follow("main", after):
            seqs += [one.seq for one in events]
            if seqs and seqs[-1] >= upto:
                return seqs
    return seqs


async def test_a_follower_gets_the_past_and_then_what_comes() -> None:
    log = Log()
    log.commit(event(1), event(2))

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(followed(log, 0, 4))
        await asyncio.sleep(0)
        log.commit(event(3))
        await asyncio.sleep(0)
        log.commit(event(4))

    assert reading.result() == [1, 2, 3, 4]


async def test_what_memory_has_dropped_comes_from_the_database(monkeypatch) -> None:
    monkeypatch.setattr(tails, "RING_EVENTS", 10)
    log = Log()
    log.commit(*[event(seq) for seq in range(1, 101)])

    assert log.tail.recent("main", 50) is None
    assert await followed(log, 50, 100) == list(range(51, 101))


async def test_a_gap_of_another_process_is_read_and_not_skipped() -> None:
    log = Log()
    log.commit(event(1))
    told: list[tuple[list[int], int]] = []
    log.tail.listen(lambda _, events, after: told.append(([one.seq for one in events], after)))

    log.events += [event(2), event(3)]
    log.commit(event(4))

    assert told == [([4], 1)]
    assert log.tail.recent("main", 1) is None
    assert await followed(log, 1, 4) == [2, 3, 4]


async def test_a_visitors_events_are_found_without_reading_the_others() -> None:
    log = Log()
    log.commit(*[event(seq, f"v_{seq % 3}") for seq in range(1, 31)])

    found = log.tail.recent("main", 20, "v_1")

    assert [one.seq for one in found or []] == [22, 25, 28]
    assert log.tail.recent("main", 0, "v_9") == []


async def test_a_busy_tenant_is_told_once_to_whoever_follows_all() -> None:
    log = Log()
    log.commit(event(1))
    follower = log.tail.follow_all()

    first = await anext(follower)
    log.commit(event(2))
    log.commit(event(3))
    second = await anext(follower)
    waiting = asyncio.timeout(0.05)
    try:
        async with waiting:
            await anext(follower)
    except TimeoutError:
        pass

    assert (first, second) == ("main", "main")
    assert waiting.expired()


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    after=st.integers(0, 60),
    ring=st.integers(1, 20),
    data=st.data(),
)
def test_following_from_anywhere_is_the_rest_of_the_log(
    sizes: list[int], after: int, ring: int, data: st.DataObject
) -> None:
    head = sum(sizes)
    after = min(after, head - 1)
    early = data.draw(st.integers(0, len(sizes)))

    async def play() -> list[int]:
        log, seq = Log(), 0
        async with asyncio.TaskGroup() as group:
            reading = None
            for place, size in enumerate(sizes):
                if place == early:
                    reading = group.create_task(followed(log, after, head))
                    await asyncio.sleep(0)
                log.commit(*[event(seq + one) for one in range(1, size + 1)])
                seq += size
            if reading is None:
                reading = group.create_task(followed(log, after, head))
        return reading.result()

    before, tails.RING_EVENTS = tails.RING_EVENTS, ring
    try:
        assert asyncio.run(play()) == list(range(after + 1, head + 1))
    finally:
        tails.RING_EVENTS = before
