"""Thin signals: what is true now is asked for in batches, and what was missed is found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deskhub.signals.reconcile import OVERLAP, Reconciler
from deskhub.store.tables import hub as tables
from deskhub_sdk import Changes, Signal, Unavailable, WebhookRequest, hookimpl
from tests.host.small_hub import SmallHub, eventually, small_hub
from tests.signals.test_signals import ANNA, NOW, Shop, settled, shown, webhook


def thin(number: int, dedupe: str = "", **more: Any) -> Signal:
    fields: dict[str, Any] = {
        "kind": "order.changed", "dedupe": dedupe or f"t{number}", "object": f"orders:{number}",
        "version": 0, "at": NOW, "thin": True, "subject": "C-1001",
    }  # fmt: skip
    return Signal(**(fields | more))


class Far(Shop):
    """Says what is true now; `now` holds each order's version, `asked` every question."""

    now: ClassVar[dict[str, int]] = {}
    asked: ClassVar[list[list[str]]] = []
    fault: Exception | None = None
    slow: asyncio.Event | None = None

    @hookimpl
    async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        self.asked.append([one.object for one in signals])
        if self.slow is not None:
            await self.slow.wait()
        if self.fault is not None:
            raise self.fault
        return [
            Signal(
                kind="order.changed", dedupe="now", object=one.object,
                version=self.now[one.object], at=NOW, subject="C-1001",
            )
            for one in signals
            if one.object in self.now
        ]  # fmt: skip


@pytest.fixture
def far() -> type[Far]:
    return type("Fresh", (Far,), {"now": {}, "asked": []})


async def talk(hub: SmallHub) -> str:
    await hub.add_customer("cu_1", "C-1001", ANNA.id)
    return await hub.open(ANNA)


async def states(hub: SmallHub) -> dict[str, str]:
    return {row["dedupe"]: row["state"] for row in await hub.rows(tables.signal)}


async def test_what_is_shown_is_what_is_true_now(tmp_path: Path, far: type[Far]) -> None:
    far.now["orders:1"] = 7
    async with small_hub(tmp_path, {"shop": far}) as hub:
        conversation = await talk(hub)
        await hub.signals.receive("shop", *webhook(thin(1)))
        await settled(hub, 1)

        assert await shown(hub) == [(conversation, 7)]


async def test_a_hundred_objects_are_two_questions(tmp_path: Path, far: type[Far]) -> None:
    far.now |= {f"orders:{number}": 1 for number in range(100)}
    async with small_hub(tmp_path, {"shop": far}, run=("host",)) as hub:
        await talk(hub)
        await hub.inbox.take("main", "shop", [thin(number) for number in range(100)])
    async with small_hub(tmp_path, {"shop": far}) as hub:
        await settled(hub, 100)

        assert [len(one) for one in far.asked] == [50, 50]
        assert len(await shown(hub)) == 100


async def test_many_signals_of_one_object_are_one_question_and_one_event(
    tmp_path: Path, far: type[Far]
) -> None:
    far.now["orders:1"] = 9
    async with small_hub(tmp_path, {"shop": far}, run=("host",)) as hub:
        conversation = await talk(hub)
        await hub.inbox.take("main", "shop", [thin(1, f"e{n}") for n in range(20)])
    async with small_hub(tmp_path, {"shop": far}) as hub:
        await settled(hub, 20)

        assert far.asked == [["orders:1"]]
        assert await shown(hub) == [(conversation, 9)]
        assert sorted((await states(hub)).values()) == ["done"] + ["stale"] * 19


async def test_an_object_that_is_gone_shows_nothing(tmp_path: Path, far: type[Far]) -> None:
    async with small_hub(tmp_path, {"shop": far}) as hub:
        await talk(hub)
        await hub.signals.receive("shop", *webhook(thin(1)))
        (row,) = await settled(hub, 1)

        assert (row["state"], row["error"]) == ("stale", "its system knows it no more")
        assert await shown(hub) == []


async def test_a_system_that_cannot_say_is_asked_again_until_the_schedule_ends(
    tmp_path: Path, far: type[Far]
) -> None:
    far.fault = Unavailable("down")
    far.now["orders:1"] = 3
    async with small_hub(tmp_path, {"shop": far}) as hub:
        conversation = await talk(hub)
        await hub.signals.receive("shop", *webhook(thin(1)))
        (row,) = await settled(hub, 1)
        assert (row["state"], len(far.asked)) == ("dead", 10)
        assert "Unavailable" in row["error"]

        far.fault = None
        assert await hub.signals.replay("main", "shop", "t1")
        await eventually(lambda: shown(hub))
        assert await shown(hub) == [(conversation, 3)]


@pytest.mark.parametrize("answer", [None, ["x"], [thin(2, version=5)]])
async def test_an_answer_that_is_none_is_an_error_and_no_wrong_card(
    tmp_path: Path, answer: Any
) -> None:
    class Odd(Shop):
        @hookimpl
        async def refetch_signals(self, signals: Sequence[Signal]) -> Sequence[Signal]:
            return answer  # type: ignore[no-any-return]

    async with small_hub(tmp_path, {"shop": Odd}) as hub:
        await talk(hub)
        await hub.signals.receive("shop", *webhook(thin(1)))
        (row,) = await settled(hub, 1)

        assert row["state"] == "dead"
        assert await shown(hub) == []


async def test_a_system_that_hangs_holds_up_no_other(tmp_path: Path, far: type[Far]) -> None:
    class Other(Shop):
        @hookimpl
        async def receive_webhook(self, request: WebhookRequest) -> Sequence[Signal]:
            return [thin(8, thin=False, version=1)]

    far.slow = asyncio.Event()
    far.now["orders:1"] = 1
    async with small_hub(tmp_path, {"shop": far, "other": Other}) as hub:
        conversation = await talk(hub)
        await hub.signals.receive("shop", *webhook(thin(1)))
        await eventually(lambda: far.asked)
        await hub.signals.receive("other", {}, b"")
        await eventually(lambda: shown(hub))

        assert await shown(hub) == [(conversation, 1)]
        far.slow.set()
        await settled(hub, 2)


async def test_of_two_states_in_one_second_the_further_one_holds(
    tmp_path: Path, far: type[Far]
) -> None:
    def paid(rank: int, dedupe: str) -> Signal:
        return thin(1, dedupe, thin=False, version=5, rank=rank)

    async with small_hub(tmp_path, {"shop": far}) as hub:
        await talk(hub)
        for number, rank in enumerate((2, 1, 3, 3)):
            await hub.inbox.take("main", "shop", [paid(rank, f"e{number}")])
            await settled(hub, number + 1)

        assert await states(hub) == {"e0": "done", "e1": "stale", "e2": "done", "e3": "stale"}


# -- what no webhook told -----------------------------------------------------------------


class Polled(Far):
    """Tells what changed since, in pages of two."""

    changes: ClassVar[list[Signal]] = []
    since: ClassVar[list[datetime]] = []

    @hookimpl
    async def changed_since(self, since: datetime, page: str) -> Changes:
        if not page:
            self.since.append(since)
        if self.fault is not None and page:
            raise self.fault
        found = [one for one in self.changes if one.at >= since]
        start = int(page or 0)
        more = str(start + 2) if start + 2 < len(found) else ""
        return Changes(signals=tuple(found[start : start + 2]), next=more)


@pytest.fixture
def polled() -> type[Polled]:
    return type("FreshPolled", (Polled,), {"changes": [], "since": [], "now": {}, "asked": []})


def change(number: int, at: datetime, version: int = 1) -> Signal:
    return thin(number, f"poll:{number}:{version}", thin=False, version=version, at=at)


async def test_what_a_sender_gave_up_on_is_found_once(
    tmp_path: Path, polled: type[Polled]
) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    polled.changes[:] = [
        change(number, start + timedelta(seconds=number)) for number in range(5)
    ]
    async with small_hub(tmp_path, {"shop": polled}, run=("host",)) as hub:
        await talk(hub)
        reconciler = Reconciler(hub.host, hub.store, hub.signals._clock, hub.inbox)
        one = hub.host.instance("shop")

        # The first of them was told by a webhook, under the sender's own id.
        await hub.inbox.take("main", "shop", [thin(0, "evt_0", thin=False, version=1)])
        assert await reconciler.turn(one) == 5, "nothing was routed yet, so nothing is known"
        assert await reconciler.turn(one) == 0
        late = start + timedelta(seconds=3)
        polled.changes.append(change(9, late))
        assert await reconciler.turn(one) == 1, "committed late: the overlap finds it"

    assert polled.since[1] == start + timedelta(seconds=4) - OVERLAP
    assert polled.since[0] < start - timedelta(hours=23)


async def test_what_a_webhook_told_is_no_news_to_the_poller(
    tmp_path: Path, polled: type[Polled]
) -> None:
    start = datetime.now(UTC)
    async with small_hub(tmp_path, {"shop": polled}) as hub:
        conversation = await talk(hub)
        await hub.inbox.take("main", "shop", [thin(1, "evt_1", thin=False, version=4)])
        await settled(hub, 1)
        polled.changes[:] = [change(1, start, 4), change(1, start, 3), change(1, start, 5)]

        assert await hub.signals.reconciler.turn(hub.host.instance("shop")) == 1
        await settled(hub, 2)

        assert await shown(hub) == [(conversation, 4), (conversation, 5)]


async def test_a_turn_that_breaks_off_moves_no_cursor(
    tmp_path: Path, polled: type[Polled]
) -> None:
    start = datetime.now(UTC)
    polled.changes[:] = [change(number, start) for number in range(4)]
    polled.fault = Unavailable("half")
    async with small_hub(tmp_path, {"shop": polled}, run=("host",)) as hub:
        await talk(hub)
        reconciler = Reconciler(hub.host, hub.store, hub.signals._clock, hub.inbox)
        one = hub.host.instance("shop")
        with pytest.raises(Unavailable):
            await reconciler.turn(one)

        polled.fault = None
        assert await reconciler.turn(one) == 2, "the first page was taken before"
        assert (await states(hub)).keys() == {f"poll:{number}:1" for number in range(4)}


async def test_the_poller_runs_by_itself(tmp_path: Path, polled: type[Polled]) -> None:
    polled.changes[:] = [change(1, datetime.now(UTC))]
    async with small_hub(tmp_path, {"shop": polled}) as hub:
        await talk(hub)
        await settled(hub, 1)
