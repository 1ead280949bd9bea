"""Every step, fault, kind of far side and crash: nothing happens twice, nothing half-happens.

The engine, the journal, its tables and its sentences are the real ones; only the far sides
and the disk are in memory. `DESKHUB_MODEL=full` walks every cell; otherwise every 13th.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter

import pytest

from deskhub.actions.journal import Journal
from deskhub.store import runs
from tests.actions.five import (
    DEDUPE,
    RETURN,
    Crash,
    CrashingStore,
    FiveSystems,
    HandClock,
    drive,
    loaded,
    start,
)

FAULTS = (
    ("refused",),
    ("timeout_before",),
    ("timeout_after",),
    ("error_500",),
    ("error_after",),
    ("duplicate",),
    ("not_sent",),
    ("throttled",),
    ("timeout_after", "refused"),
    ("timeout_before", "not_sent"),
    ("timeout_before",) * 9,
)
UNDO_FAULTS = (
    (),
    ("refused",),
    ("timeout_before",),
    ("timeout_after",),
    ("timeout_before",) * 9,
)
CRASHES = 26
ENDS = {"completed", "compensated", "attention"}


class Forgetful(Journal):
    """The sabotaged twin: a call leaves without its intent on disk."""

    async def intent(self, lease, step):
        self.check(lease)


def cells(stride):
    faulted = itertools.product(range(len(RETURN)), FAULTS, ("key", "lookup", "none"))
    crashes = [None, *itertools.product(("before", "after"), range(1, CRASHES))]
    every = itertools.chain(
        (
            (at, fault, kind, (), crash)
            for (at, fault, kind), crash in itertools.product(faulted, crashes)
        ),
        # The payment is refused, and then an undo goes wrong.
        (
            (3, ("refused",), "key", (at, undo), crash)
            for at, undo, crash in itertools.product(range(3), UNDO_FAULTS, crashes)
        ),
        # A crash, and then another one while recovering.
        (
            (at, ("timeout_after",), kind, (), (side, first, second))
            for at, kind, side, first, second in itertools.product(
                range(len(RETURN)), ("key", "lookup", "none"), ("before", "after"),
                range(2, 18, 3), range(1, 12, 2),
            )
        ),
    )  # fmt: skip
    return itertools.islice(every, 0, None, stride)


async def walk(cell, journal=Journal):
    """Run one cell to its end and return what is wrong with it."""
    at, faults, kind, undo, crash = cell
    clock = HandClock()
    store = CrashingStore(clock)
    try:
        dedupe = tuple(kind if n == at else how for n, how in enumerate(DEDUPE))
        five = FiveSystems(dedupe)
        names = [name for _, name, *_ in RETURN]
        five.systems[names[at]].faults = list(faults)
        if undo:
            five.systems[names[undo[0]]].undo_faults = list(undo[1])
        await start(store, clock, five)
        for life in range(4):
            if (await loaded(store)).state in ENDS:
                break
            aim(store, crash, life)
            try:
                await drive(store, five, clock, journal=journal)
            except (Crash, BaseExceptionGroup) as error:
                if not is_crash(error):
                    raise
                store.restart()
                clock.pass_by(31)
        return verdict(five, await loaded(store))
    finally:
        store.close()


def aim(store, crash, life):
    if crash is None:
        return
    side, *places = crash
    if life < len(places):
        place = store.writes + places[life]
        setattr(store, f"crash_{side}", place)


def is_crash(error):
    if isinstance(error, BaseExceptionGroup):
        return all(is_crash(one) for one in error.exceptions)
    return isinstance(error, Crash)


def verdict(five, run):
    problems = []
    if run.state not in ENDS:
        problems.append(f"no end: {run.state}")
    problems += [f"{n} had {s.count} effects" for n, s in five.systems.items() if s.count > 1]
    states = {step.spec["name"]: step.state for step in run.steps}
    nets = {name: system.net for name, system in five.systems.items()}
    if run.state == "completed" and set(nets.values()) != {1}:
        problems.append(f"completed with {nets}")
    if run.state == "compensated" and any(nets.values()):
        problems.append(f"compensated with {nets}")
    for name, state in states.items():
        if state == "done" and nets[name] != 1:
            problems.append(f"{name} is called done with {nets[name]}")
        if state in ("rejected", "planned", "undone") and nets[name] != 0:
            problems.append(f"{name} is called {state} with {nets[name]}")
    return run.state, problems


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_every_cell_ends_and_nothing_happens_twice(capsys):
    stride = 1 if os.environ.get("DESKHUB_MODEL") == "full" else 13
    ends: Counter[str] = Counter()
    wrong = []

    for cell in cells(stride):
        end, problems = await walk(cell)
        ends[end] += 1
        wrong += [(cell, problem) for problem in problems]

    with capsys.disabled():
        figures = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        print(f"\n{sum(ends.values())} cells: {figures}, {len(wrong)} violations")
    assert wrong == []
    assert set(ends) == ENDS


async def test_without_the_intent_record_the_same_model_finds_violations():
    wrong = 0

    for cell in cells(61):
        _, problems = await walk(cell, journal=Forgetful)
        wrong += len(problems)

    assert wrong > 0


async def test_two_workers_never_drive_the_same_run():
    clock = HandClock()
    store = CrashingStore(clock)
    five = FiveSystems()
    await start(store, clock, five)
    first = Journal(store, None, clock, owner="w1")
    second = Journal(store, None, clock, owner="w2")

    leases = [await first.claim("main", "r_1"), await second.claim("main", "r_1")]

    assert [lease is not None for lease in leases] == [True, False]
    store.close()


async def test_an_expired_run_is_found_and_a_held_one_is_not():
    clock = HandClock()
    store = CrashingStore(clock)
    await start(store, clock, FiveSystems())
    journal = Journal(store, None, clock, owner="w1")
    await journal.claim("main", "r_1")

    held = await store.read(lambda c: runs.expired(c, clock.now(), 9))
    clock.pass_by(31)
    left = await store.read(lambda c: runs.expired(c, clock.now(), 9))

    assert held == []
    assert left == [("main", "r_1")]
    store.close()
