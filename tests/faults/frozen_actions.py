"""A server is frozen past its lease, another one finishes its returns, and it wakes up again.

``python -m tests.faults.frozen_actions --trials 50 --database both`` prints how many of the runs
that the frozen server held were changed by it afterwards. With ``--sabotage no_fence`` there are.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import signal
import sqlite3
import sys
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.chaos_actions import ENDS, Chaos, Return, product, revive
from tests.support.databases import sql
from tests.support.desk import Desk, until

# No more than one server drives at a time.
AT_ONCE = 25
# A run has six calls, one after the other: it is in the middle for some seconds.
LATENCY_MS = 500
END_S = 90.0
DATABASE = "data/deskhub.db"
# A worker that woke up renews its lease within a third of it.
TRIES_S = 30.0
# On a busy machine the returns may be over before the freeze, a few times.
IN_VAIN = 5
_RUN = re.compile(r"\br_[0-9a-f]{32}")
Views = dict[str, dict[str, Any]]


@dataclass
class Verdict:
    """What came of the runs that a frozen server held."""

    trials: int = 0
    stale: int = 0
    doubles: int = 0
    open: int = 0

    def line(self) -> str:
        return (
            f"{self.trials} times a server woke up and went on with a run that it had lost:"
            f" {self.stale} stale writes, {self.doubles} double effects,"
            f" {self.open} without an end"
        )

    @property
    def is_clean(self) -> bool:
        return self.trials > 0 and not (self.stale or self.doubles or self.open)


class Freezer:
    """Freezes the first of two servers in the middle of its returns."""

    def __init__(self, trial: Chaos, *, is_sabotaged: bool) -> None:
        self.trial = trial
        self.is_sabotaged = is_sabotaged
        self.sleeper, self.heir = trial.hubs
        self.token = trial.tokens[0]
        self.log = self.sleeper.folder / "hub.log"

    def freeze(self, count: int, verdict: Verdict) -> None:
        """Hold *count* returns in a server that sleeps through its lease, and look."""
        trial = self.trial
        self.heir.kill()
        trial.at_once = count
        returns = [Return(plan) for plan in trial.plans()]
        trial.latency(LATENCY_MS)
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda one: trial.confirm(one, 0), returns))
        time.sleep(trial.rng.uniform(0.0, LATENCY_MS / 500))
        self._stop()
        try:
            ids = held_runs(self.sleeper.folder)
            trial.latency(0)
            revive(self.heir)
            self.heir.adapters_ready(self.token)
            after = self._ended(ids)
        finally:
            self._signal(signal.SIGCONT)
        if self.is_sabotaged:
            until(lambda: self._states(self.heir, ids) != after, "it writes what it must not")
            tried = set(ids)
        else:
            tried = self._refused(ids)
        now = self._states(self.heir, ids)
        verdict.trials += len(tried)
        verdict.stale += sum(now[run] != after[run] for run in ids)
        verdict.open += sum(view["state"] not in ENDS for view in after.values())
        for run in ids:
            trial.compare(run, now[run])
        verdict.doubles = trial.tally.doubles

    def _ended(self, runs: Sequence[str]) -> Views:
        end = time.monotonic() + END_S
        while time.monotonic() < end:
            views = self._states(self.heir, runs)
            if all(view["state"] in ENDS for view in views.values()):
                return views
            time.sleep(0.2)
        return views

    def _refused(self, runs: Sequence[str]) -> set[str]:
        """Return which of *runs* the sleeper tried to go on with, and was refused.

        One whose last write failed before the freeze has no worker any more that could try.
        """
        end = time.monotonic() + TRIES_S
        while time.monotonic() < end:
            tried = refusals(self.log) & set(runs)
            if len(tried) == len(runs):
                break
            time.sleep(0.2)
        return tried

    def _states(self, hub: Desk, runs: Sequence[str]) -> Views:
        found = hub.get("/api/v1/runs", self.token)["runs"]
        return {view["id"]: view for view in found if view["id"] in runs}

    def _stop(self) -> None:
        """Freeze it outside of a commit: in one, a file's only writer would hold everybody."""
        while True:
            self._signal(signal.SIGSTOP)
            if is_free(self.sleeper.folder / DATABASE):
                return
            self._signal(signal.SIGCONT)
            time.sleep(self.trial.rng.uniform(0.0, 0.05))

    def _signal(self, number: signal.Signals) -> None:
        assert self.sleeper.hub is not None
        self.sleeper.hub.send_signal(number)


def is_free(file: Path) -> bool:
    """Return whether somebody else could write to the database *file*, if it is one."""
    if not file.exists():
        return True
    with contextlib.closing(sqlite3.connect(file, timeout=0.2)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.rollback()
    return True


def held_runs(folder: Path) -> list[str]:
    """Return the runs that somebody held when everybody was stopped."""
    url = tomllib.loads((folder / "hub.toml").read_text())["hub"]["store"]
    query = (
        "SELECT id FROM action_run WHERE state IN ('running', 'compensating') AND owner <> ''"
    )
    if url.startswith("postgresql"):
        return [str(row[0]) for row in sql(query, url)]
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as connection:
        return [row[0] for row in connection.execute(query)]


def refusals(log: Path) -> set[str]:
    """Return the runs of which a worker found that they had another holder."""
    lines = log.read_text(errors="replace").splitlines()
    return {run for line in lines if "run_abandoned" in line for run in _RUN.findall(line)}


def frozen(hub: Desk, trials: int, seed: int, sabotage: str = "") -> Verdict:
    """Freeze the server of *hub* until it has slept through *trials* runs' leases."""
    toml = hub.folder / "hub.toml"
    toml.write_text(toml.read_text().replace('log = "warning"', 'log = "info"'))
    hub.kill()
    hub.environment = {"DESKHUB_SABOTAGE": sabotage}
    hub.start()
    trial = Chaos(hub, random.Random(seed), min(AT_ONCE, trials))
    trial.hubs[1].environment = {}
    freezer = Freezer(trial, is_sabotaged=bool(sabotage))
    verdict = Verdict()
    try:
        vain = 0
        while verdict.trials < trials:
            before = verdict.trials
            freezer.freeze(min(AT_ONCE, trials - verdict.trials), verdict)
            vain = vain + 1 if verdict.trials == before else 0
            assert vain < IN_VAIN, "again and again the returns were over before the freeze"
    finally:
        trial.hubs[1].kill()
    return verdict


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=50, help="on each database")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--sabotage", default="")
    options = parser.parse_args()
    both = ("sqlite", "postgresql")
    clean = True
    for database in both if options.database == "both" else (options.database,):
        with product(database) as hub:
            verdict = frozen(hub, options.trials, options.seed, options.sabotage)
        print(f"{database}: {verdict.line()}")
        clean = clean and verdict.is_clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
