"""The batch loader: how many calls leave, and who hears of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from deskhub_sdk import BatchRefused, Loader, LoaderStats, Unavailable, url_chars
from deskhub_sdk.loader import metered


class FarSide:
    """Counts the calls it gets; each takes *ms* milliseconds; *bad* ids spoil a batch."""

    def __init__(self, ms: float = 5.0, bad: frozenset[int] = frozenset()) -> None:
        self.calls: list[Sequence[int]] = []
        self.ms = ms
        self.bad = bad

    async def fetch(self, ids: Sequence[int]) -> Mapping[int, str]:
        self.calls.append(ids)
        await asyncio.sleep(self.ms / 1000)
        if self.bad & set(ids):
            raise BatchRefused(f"one of {len(ids)} is unknown")
        return {key: f"product {key}" for key in ids if key != 404}


async def load_all(loader: Loader[int, str], keys: Sequence[int]) -> list[str | None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loader.load(key)) for key in keys]
    return [task.result() for task in tasks]


async def test_three_hundred_look_ups_of_one_turn_are_three_calls() -> None:
    far = FarSide()
    loader = Loader(far.fetch, max_batch=100)

    values = await load_all(loader, range(300))

    assert (values[0], values[299]) == ("product 0", "product 299")
    assert [len(call) for call in far.calls] == [100, 100, 100]
    assert (loader.stats.loads, loader.stats.calls, loader.stats.saved) == (300, 3, 297)


async def trickle(loader: Loader[int, str], over_ms: float = 20.0) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()

    async def one(key: int) -> None:
        await asyncio.sleep(max(0.0, started + key * over_ms / 300_000 - loop.time()))
        assert await loader.load(key) == f"product {key}"

    async with asyncio.TaskGroup() as group:
        for key in range(300):
            group.create_task(one(key))


async def test_look_ups_that_trickle_over_20_ms_cost_one_call_more_and_no_waiting() -> None:
    far = FarSide(ms=60)
    loader = Loader(far.fetch, max_batch=100, ttl_s=0)

    await trickle(loader)

    assert len(far.calls) <= 4


async def test_look_ups_that_trickle_over_20_ms_are_three_calls_with_a_window() -> None:
    far = FarSide(ms=60)
    loader = Loader(far.fetch, max_batch=300, ttl_s=0, window_ms=200)
    chunked = Loader(FarSide().fetch, max_batch=100, ttl_s=0, window_ms=200)

    await trickle(loader)
    await trickle(chunked)

    assert len(far.calls) == 1, "a full batch leaves at once"
    assert chunked.stats.calls == 3


async def test_a_window_does_not_hold_a_full_batch_back() -> None:
    far = FarSide(ms=0)
    loader = Loader(far.fetch, max_batch=10, window_ms=60_000)

    async with asyncio.timeout(5):
        await load_all(loader, range(10))

    assert len(far.calls) == 1


async def test_without_collecting_while_a_call_is_under_way_there_would_be_many_calls() -> None:
    """The sabotaged twin: a loader for each turn shows what the waiting batch is good for."""
    far = FarSide(ms=60)
    started = asyncio.get_running_loop().time()

    async def one(key: int) -> None:
        at = started + key * 20 / 300_000
        await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
        turn = round(asyncio.get_running_loop().time() * 1000)
        loader = loaders.setdefault(turn, Loader(far.fetch, ttl_s=0))
        await loader.load(key)

    loaders: dict[int, Loader[int, str]] = {}
    async with asyncio.TaskGroup() as group:
        for key in range(300):
            group.create_task(one(key))

    assert len(far.calls) > 4


async def test_one_poison_id_fails_alone() -> None:
    far = FarSide(bad=frozenset({37}))
    loader = Loader(far.fetch, max_batch=100)

    async with asyncio.TaskGroup() as group:
        tasks = {key: group.create_task(settle(loader, key)) for key in range(100)}
    outcomes = {key: task.result() for key, task in tasks.items()}

    assert isinstance(outcomes.pop(37), BatchRefused)
    assert all(outcomes[key] == f"product {key}" for key in outcomes)
    assert len(far.calls) <= 15, "halving finds one of a hundred in about 2 · log2(100) calls"


async def settle(loader: Loader[int, str], key: int) -> object:
    try:
        return await loader.load(key)
    except Exception as error:
        return error


async def test_a_failure_of_the_far_side_is_not_halved() -> None:
    calls = 0

    async def fetch(ids: Sequence[int]) -> Mapping[int, str]:
        nonlocal calls
        calls += 1
        raise Unavailable("down")

    loader = Loader(fetch)

    with pytest.raises(Unavailable):
        await loader.load_many(range(50))

    assert calls == 1


async def test_a_waiter_that_leaves_does_not_cancel_the_batch() -> None:
    far = FarSide(ms=20)
    loader = Loader(far.fetch)

    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(loader.load(1))
        staying = group.create_task(loader.load(2))
        while not far.calls:
            await asyncio.sleep(0)
        leaving.cancel()

    assert leaving.cancelled()
    assert staying.result() == "product 2"
    assert len(far.calls) == 1


async def test_a_key_without_an_answer_is_none_and_is_remembered() -> None:
    far = FarSide()
    loader = Loader(far.fetch)

    assert await loader.load(404) is None
    assert await loader.load(404) is None
    assert len(far.calls) == 1


async def test_the_same_key_twice_is_asked_for_once() -> None:
    far = FarSide()
    loader = Loader(far.fetch)

    assert await load_all(loader, [7, 7, 7]) == ["product 7"] * 3
    assert far.calls == [(7,)]


async def test_a_key_that_failed_can_be_asked_for_again_at_once() -> None:
    far = FarSide(bad=frozenset({1}))
    loader = Loader(far.fetch)

    with pytest.raises(BatchRefused):
        await loader.load(1)
    far.bad = frozenset()

    assert await loader.load(1) == "product 1"


async def test_an_answer_that_is_an_error_belongs_to_its_key() -> None:
    async def fetch(ids: Sequence[int]) -> Mapping[int, str]:
        return {key: Unavailable("gone") if key == 2 else "x" for key in ids}  # type: ignore[misc]

    loader = Loader(fetch)

    assert await loader.load(1) == "x"
    with pytest.raises(Unavailable):
        await loader.load(2)


async def test_a_fetch_that_answers_nonsense_fails_its_waiters_and_nobody_hangs() -> None:
    async def fetch(ids: Sequence[int]) -> Mapping[int, str]:
        return None  # type: ignore[return-value]

    loader = Loader(fetch)

    with pytest.raises(AttributeError):
        await loader.load(1)


async def test_a_fetch_that_was_cancelled_inside_tells_its_waiters() -> None:
    async def fetch(ids: Sequence[int]) -> Mapping[int, str]:
        raise asyncio.CancelledError

    loader = Loader(fetch)

    async with asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await loader.load(1)


async def test_closing_ends_the_waiters_and_leaves_no_task() -> None:
    far = FarSide(ms=60_000)
    loader = Loader(far.fetch)
    before = asyncio.all_tasks()

    async with asyncio.TaskGroup() as group:
        waiter = group.create_task(loader.load(1))
        while not far.calls:
            await asyncio.sleep(0)
        await loader.close()

    assert waiter.cancelled()
    assert asyncio.all_tasks() == before


async def test_two_questions_at_a_time_count_their_own_look_ups() -> None:
    far = FarSide()
    loader = Loader(far.fetch, max_batch=100)
    small, large = LoaderStats(), LoaderStats()

    async def ask(meter: LoaderStats, keys: range) -> None:
        metered.set(meter)
        await loader.load_many(keys)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask(small, range(10)))
        group.create_task(ask(large, range(1000, 1290)))

    assert (small.loads, small.calls) == (10, 1)
    assert (large.loads, large.calls, large.saved) == (290, 3, 287)
    assert loader.stats.loads == 300


async def test_what_a_batch_asks_is_not_counted_for_whoever_came_first() -> None:
    seen: list[LoaderStats | None] = []

    async def fetch(ids: Sequence[int]) -> Mapping[int, str]:
        seen.append(metered.get())
        return {}

    loader = Loader(fetch)
    metered.set(LoaderStats())
    await loader.load(1)

    assert seen == [None]


async def test_the_least_recently_used_value_leaves_first() -> None:
    far = FarSide(ms=0)
    loader = Loader(far.fetch, max_entries=2)

    for key in (1, 2, 1, 3):
        await loader.load(key)
    await loader.load(1)
    assert len(far.calls) == 3
    await loader.load(2)

    assert len(far.calls) == 4


async def test_a_call_carries_what_fits_into_an_address() -> None:
    calls: list[int] = []

    async def fetch(keys: Sequence[str]) -> Mapping[str, str]:
        calls.append(sum(map(url_chars, keys)))
        return {key: key for key in keys}

    loader = Loader(fetch, max_batch=100, cost=url_chars, max_cost=50)
    keys = [f"order {number}" for number in range(20)] + ["x" * 80]

    assert await loader.load_many(keys) == {key: key for key in keys}
    assert all(size <= 50 for size in calls[:-1])
    assert calls[-1] == 81
    assert len(calls) < 10


async def test_whoever_waits_comes_before_the_background() -> None:
    order: list[Sequence[int]] = []
    gate = asyncio.Event()

    async def fetch(keys: Sequence[int]) -> Mapping[int, int]:
        order.append(tuple(keys))
        await gate.wait()
        return {key: key for key in keys}

    loader = Loader(fetch, max_batch=2, ttl_s=0)
    async with asyncio.TaskGroup() as group:
        group.create_task(loader.load_many(range(6), background=True))
        while not order:
            await asyncio.sleep(0)
        group.create_task(loader.load(100))
        await asyncio.sleep(0)
        gate.set()

    assert order == [(0, 1), (100,), (2, 3), (4, 5)]


async def test_a_key_in_the_background_that_somebody_wants_hurries() -> None:
    order: list[Sequence[int]] = []

    async def fetch(keys: Sequence[int]) -> Mapping[int, int]:
        order.append(tuple(keys))
        return {key: key for key in keys}

    loader = Loader(fetch, max_batch=10)
    async with asyncio.TaskGroup() as group:
        group.create_task(loader.load_many([1, 2], background=True))
        group.create_task(loader.load(2))

    assert order == [(2,), (1,)]


async def test_a_stale_value_is_given_at_once_and_loaded_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("deskhub_sdk.loader.monotonic", lambda: now)
    answers = iter(["old", "new", *[Unavailable("down")] * 9])
    asked = 0

    async def fetch(keys: Sequence[str]) -> Mapping[str, str]:
        nonlocal asked
        asked += 1
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return dict.fromkeys(keys, answer)

    loader = Loader(fetch, ttl_s=10, stale_s=100)
    assert await loader.load("a") == "old"

    now = 50.0
    assert [await loader.load("a") for _ in range(3)] == ["old"] * 3
    async with asyncio.timeout(30):
        while await loader.load("a") != "new":
            await asyncio.sleep(0)
    assert asked == 2

    now = 100.0
    async with asyncio.timeout(30):
        while asked < 3:
            assert await loader.load("a") == "new"
            await asyncio.sleep(0)
    assert await loader.load("a") == "new"
    await loader.close()


async def test_what_comes_unasked_with_an_answer_is_kept() -> None:
    calls: list[Sequence[str]] = []

    async def fetch(keys: Sequence[str]) -> Mapping[str, str]:
        calls.append(tuple(keys))
        tree = {key: key for key in keys}
        return {**tree, "line 1": "one", "line 2": "two"}

    loader = Loader(fetch)
    assert await loader.load("order") == "order"

    assert await loader.load_many(["line 1", "line 2"]) == {"line 1": "one", "line 2": "two"}
    assert calls == [("order",)]


async def test_a_key_that_nobody_waits_for_any_more_is_not_asked_for() -> None:
    calls: list[Sequence[int]] = []
    gate = asyncio.Event()

    async def fetch(keys: Sequence[int]) -> Mapping[int, int]:
        calls.append(tuple(keys))
        await gate.wait()
        return {key: key for key in keys}

    loader = Loader(fetch)
    async with asyncio.TaskGroup() as group:
        group.create_task(loader.load(1))
        while not calls:
            await asyncio.sleep(0)
        left = group.create_task(loader.load(2))
        shared = group.create_task(loader.load(3))
        stays = group.create_task(loader.load(3))
        await asyncio.sleep(0)
        left.cancel()
        shared.cancel()
        await asyncio.sleep(0)
        gate.set()

    assert calls == [(1,), (3,)]
    assert stays.result() == 3
