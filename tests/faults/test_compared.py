"""The comparison says "within" and "over" only of what is; noise it says nothing of."""

from __future__ import annotations

import random

import pytest

from tests.faults.compared import Compared, compared, p99


def slices(
    seed: int, *, share: float = 0.03, slow: float = 1.0, count: int = 12
) -> list[list[float]]:
    """Return latencies as a chat has them: mostly 1 ms, *share* of them several ms."""
    chance = random.Random(seed)
    return [
        [
            slow * (chance.uniform(4, 6) if chance.random() < share else chance.uniform(0.8, 1.6))
            for _ in range(600)
        ]
        for _ in range(count)
    ]  # fmt: skip


def of(quiet: list[list[float]], failing: list[list[float]]) -> Compared:
    return compared(list(zip(quiet, failing, strict=True)))


@pytest.mark.parametrize("seed", range(3))
def test_the_same_on_both_sides_is_within(seed: int) -> None:
    many = slices(seed, count=40), slices(seed + 100, count=40)

    assert of(*many).verdict == "within"


@pytest.mark.parametrize("seed", range(3))
def test_a_third_more_is_over(seed: int) -> None:
    found = of(slices(seed), slices(seed + 100, slow=1.33))

    assert (found.verdict, found.ratio > 1.25) == ("over", True)


def test_few_messages_and_the_very_edge_are_undecided() -> None:
    few = of(slices(1, count=2), slices(2, count=2))
    edge = of(slices(1), slices(2, slow=1.10))

    assert (few.verdict, edge.verdict) == ("undecided", "undecided")


def test_one_bad_moment_of_the_machine_decides_nothing() -> None:
    failing = slices(2)
    failing[3][100:200] = [80.0] * 100

    assert of(slices(1), failing).verdict != "over"


def test_the_interval_holds_the_ratio() -> None:
    found = of(slices(3), slices(4, slow=1.05))

    assert found.low <= found.ratio <= found.high
    assert (found.quiet, found.failing) == (7200, 7200)


def test_rounds_that_differ_among_themselves_decide_nothing() -> None:
    """A machine that is busy now and then makes one side slow by chance."""
    quiet, failing = slices(5), slices(6)
    for number in (0, 3, 4):
        quiet[number] = [9 * ms for ms in quiet[number]]
    for number in (1, 2):
        failing[number] = [9 * ms for ms in failing[number]]

    assert of(quiet, failing).verdict == "undecided"


def test_p99_is_the_time_that_99_of_100_stay_under() -> None:
    assert p99([float(n) for n in range(1, 101)]) == 100.0
    assert p99([]) == 0.0
