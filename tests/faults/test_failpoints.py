"""The process dies exactly where it hurts: inside commit, answer, checkpoint and start."""

from __future__ import annotations

import random
from pathlib import Path
from typing import get_args

import pytest

from deskhub.store.failpoints import EXIT, Place
from tests.faults.scale import SCALE
from tests.support.client import Verdict
from tests.support.crowd import crowd
from tests.support.served import Ended, Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
# A migration's place is proved by test_migrations.py.
PLACES: tuple[Place, ...] = tuple(
    place for place in get_args(Place) if place != "migration.statement"
)
RUNS = int(SCALE)


async def deaths(
    hub: Served, places: list[str], dice: random.Random, *, sabotage: str = ""
) -> Verdict:
    """Let the hub die at each of *places*, under the same people; compare at the end."""
    await hub.start()
    # Long texts, so that a checkpoint has something to do.
    async with crowd(hub, visitors=6, agents=2, per_s=30, text=lambda: "好" * 900) as people:
        await people.acknowledged(5)
        for place in places:
            await hub.kill()
            env = {"DESKHUB_FAILPOINT": place, "DESKHUB_SABOTAGE": sabotage}
            if place.startswith("start."):
                with pytest.raises(Ended):
                    await hub.start(env=env)
            else:
                times = 1 if place.startswith("checkpoint") else dice.randint(1, 12)
                await hub.start(env=env | {"DESKHUB_FAILPOINT": f"{place}:{times}"})
            assert await hub.ended(30) == EXIT, place
        await hub.start()
        if not sabotage:
            await people.settle()
        people.stop_writing()
        return people.judge()


async def test_a_death_at_any_place_loses_doubles_and_reorders_nothing(tmp_path: Path) -> None:
    dice = random.Random(3)
    places: list[str] = [place for _ in range(RUNS) for place in PLACES]
    dice.shuffle(places)
    hub = Served(tmp_path / "hub.db")
    try:
        verdict = await deaths(hub, places, dice)
    finally:
        await hub.kill()

    print(f"{len(places)} deaths: {verdict}")
    assert verdict.is_clean, str(verdict)


async def test_the_check_notices_an_acknowledgement_before_the_commit(tmp_path: Path) -> None:
    hub = Served(tmp_path / "hub.db")
    try:
        verdict = await deaths(
            hub, ["batch.written"] * 2, random.Random(4), sabotage="ack_before_commit"
        )
    finally:
        await hub.kill()

    assert verdict.lost > 0, str(verdict)
