"""Servers die and freeze in the middle of returns: nothing happens twice, everything ends."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.chaos_actions import Chaos, product
from tests.faults.frozen_actions import frozen
from tests.support.desk import Desk

KILLS = 3
RETURNS = 10
HELD = 5
# What needs half a minute in the long runs takes two seconds here.
SETTINGS = '\n[actions]\nlease = "2s"\n'


@pytest.fixture(scope="module")
def hub() -> Iterator[Desk]:
    with product("sqlite", settings=SETTINGS) as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_returns_survive_the_death_of_either_server(hub, capsys):
    trial = Chaos(hub, random.Random(20), at_once=RETURNS)
    try:
        while trial.tally.kills < KILLS:
            trial.round(KILLS)
    finally:
        trial.hubs[1].kill()

    tally = trial.tally
    with capsys.disabled():
        print(f"\n{tally.line()}")
    assert tally.problems == []
    assert tally.doubles == 0
    assert tally.ends["open"] == 0
    assert tally.runs >= RETURNS // 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_that_slept_through_its_lease_writes_nothing(hub, capsys):
    verdict = frozen(hub, HELD, seed=20)

    with capsys.disabled():
        print(f"\n{verdict.line()}")
    assert verdict.is_clean
    assert verdict.trials >= HELD


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_without_the_fence_it_would(hub):
    verdict = frozen(hub, HELD, seed=20, sabotage="no_fence")

    assert verdict.stale > 0
