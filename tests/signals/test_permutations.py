"""A thousand orders of arrival of six states with repetitions: one end, shown once.

The log is a real one on each database; hundreds of orders share it, each under a name of its own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskhub.store import sabotage
from deskhub.store.tables import hub as tables
from deskhub_sdk import Signal
from tests.host.small_hub import SmallHub, eventually, small_hub
from tests.signals.test_signals import ANNA, NOW, Shop

STATES = ("placed", "paid", "packed", "shipped", "delivered", "completed")
# The rule is the hub's own and the same on both; on the server it is the statements that differ.
TIMES = {"sqlite": 1_000, "postgresql": 150}
DICE = 20_261_123

pytestmark = pytest.mark.timeout(300)


def arrivals(order: int, dice: random.Random) -> Sequence[Signal]:
    """Return the six states of *order* as they arrive: in any order, some twice or thrice."""
    told = [
        Signal(
            kind=f"order.{state}", dedupe=f"o{order}:{state}", object=f"orders:{order}",
            version=number + 1, at=NOW, subject="C-1001", data={"state": state},
        )
        for number, state in enumerate(STATES)
    ]  # fmt: skip
    told += dice.choices(told, k=dice.randint(1, 6))
    dice.shuffle(told)
    return told


async def shown_of(hub: SmallHub) -> dict[str, list[int]]:
    """Return the versions that were shown of each order, in the order of the log."""
    found: dict[str, list[int]] = {}
    for event in await hub.store.read(_all_shown):
        data = msgspec.json.decode(event)
        found.setdefault(data["signal"]["object"], []).append(data["signal"]["version"])
    return found


def _all_shown(db: Any) -> list[bytes]:
    import sqlalchemy as sa

    from deskhub.store.tables.chat import event

    query = sa.select(event.c.data).where(event.c.kind == "card.shown").order_by(event.c.seq)
    return list(db.execute(query).scalars())


async def permuted(folder: Path, times: int) -> dict[str, list[int]]:
    """Let *times* orders arrive, one signal after the other, mixed with each other."""
    dice = random.Random(DICE)
    queues = [list(arrivals(order, dice)) for order in range(times)]
    async with small_hub(folder, {"shop": Shop}) as hub:
        await hub.add_customer("cu_1", "C-1001", ANNA.id)
        await hub.open(ANNA)
        while queues:
            some = [queue.pop(0) for queue in queues]
            for start in range(0, len(some), 100):
                await hub.inbox.take("main", "shop", some[start : start + 100])
            await eventually(lambda: _settled(hub), 120)
            queues = [queue for queue in queues if queue]
        return await shown_of(hub)


async def _settled(hub: SmallHub) -> bool:
    import sqlalchemy as sa

    query = sa.select(sa.func.count()).where(tables.signal.c.state == "pending")
    return await hub.store.read(lambda db: db.execute(query).scalar() == 0)


@pytest.mark.parametrize("store", TIMES)
async def test_every_order_of_arrival_ends_in_the_same_state_shown_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setenv("DESKHUB_TEST_STORE", store)

    found = await permuted(tmp_path, TIMES[store])

    assert len(found) == TIMES[store]
    wrong = {
        order: versions
        for order, versions in found.items()
        if versions[-1] != len(STATES)
        or versions.count(len(STATES)) != 1
        or versions != sorted(set(versions))
    }
    assert wrong == {}


async def test_without_the_version_compare_the_last_to_arrive_would_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(sabotage, "_ACTIVE", frozenset({"versions_ignored"}))

    found = await permuted(tmp_path, 20)

    assert any(versions[-1] != len(STATES) for versions in found.values())
