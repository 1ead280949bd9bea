"""Two servers share one database and are killed in the middle of returns; systems are counted.

``python -m tests.faults.chaos_actions --kills 200 --database both`` runs rounds of 50 returns at
once, confirmed through both servers, and kills one or both at random moments. The last line
holds the figures; the exit code is 1 when anything happened twice, stayed open, or is not what
the run says.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from tests.support.databases import postgres
from tests.support.desk import NAMES, Desk, HubEnded, call, desk

END_S = 60.0
# Whoever lost an answer asks again, as people do; so long after the last kill.
ANSWER_S = 60.0
AT_ONCE = 50
KILLS_A_ROUND = 10
CLICKS = 20
STARTS = 5
ENDS = ("completed", "compensated", "attention")
SYSTEMS = tuple(name for name in NAMES if name != "sso")
# Long enough that a kill finds calls under way, short enough for many kills.
LATENCY_MS = 150
# A bad day has more than one cause: beside some kills a system fails as well.
TROUBLE = 0.5
FAULTS = ("500", "429", "timeout_after", "duplicate")
KEYLESS = ("erp", "crm")
GAP_S = 0.6
# What a server answers while its adapters are still starting.
NOT_YET = frozenset(
    {"not_eligible", "action_unavailable", "rate_limited", "busy", "store_down"}
)

# What a server that dies in the middle of an answer leaves behind.
DEAD = (OSError, HTTPException, ValueError)


@dataclass
class Tally:
    """What came of all runs."""

    kills: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    doubles: int = 0
    slowest_s: float = 0.0

    @property
    def runs(self) -> int:
        return sum(self.ends.values()) - self.ends["refused"]

    def add(self, other: Tally) -> None:
        self.kills += other.kills
        self.ends += other.ends
        self.problems += other.problems
        self.doubles += other.doubles
        self.slowest_s = max(self.slowest_s, other.slowest_s)

    def line(self) -> str:
        ends = ", ".join(f"{self.ends[end]} {end}" for end in ENDS)
        return (
            f"{self.kills} kills, {self.runs} runs: {ends}, {self.ends['refused']} not started, {self.doubles} double effects,"
            f" {self.ends['open']} without an end, {len(self.problems)} violations,"
            f" slowest end {self.slowest_s:.1f} s"
        )


@dataclass
class Return:
    """One return: its plan, how often it is confirmed, and the answers."""

    plan: dict[str, Any]
    clicks: int = 1
    answers: set[str] = field(default_factory=set)

    @property
    def run(self) -> str | None:
        return next(iter(self.answers), None)


class Chaos:
    """Starts returns, kills servers, brings them back, and looks at the systems."""

    def __init__(self, hub: Desk, rng: random.Random, at_once: int = AT_ONCE) -> None:
        self.hubs = (hub, hub.beside())
        self.at_once = at_once
        self.rng = rng
        self.tally = Tally()
        self.tokens = self._signed_in()
        revive(self.hubs[1])
        for one in self.hubs:
            one.adapters_ready(self.tokens[0])
        self.systems = [name for name in SYSTEMS if name in hub.systems]
        self._give_up_at = math.inf
        self._stuck: set[str] = set()
        wanted = 2 * at_once
        self._candidates = list(itertools.islice(self._orders(), wanted))
        self._starts: dict[int, Future[None]] = {}
        self._starter = ThreadPoolExecutor(len(self.hubs))

    def round(self, kills: int) -> None:
        """Many returns at once, some kills while they run, and the look afterwards."""
        # A token ends after a quarter of an hour, a long trial does not.
        self.tokens = self._signed_in()
        returns = [Return(plan) for plan in self.plans()]
        returns[0].clicks = CLICKS
        self._give_up_at = math.inf
        self.latency(LATENCY_MS)
        with ThreadPoolExecutor(self.at_once + CLICKS) as pool:
            # Two agents through two servers: every second click goes the other way.
            jobs = [
                pool.submit(self.confirm, one, at + click)
                for at, one in enumerate(returns)
                for click in range(one.clicks)
            ]
            end = self.tally.kills + kills
            while self.tally.kills < end and self._is_running(jobs):
                self._kill()
            for start in self._starts.values():
                start.result()
            self._give_up_at = time.monotonic() + ANSWER_S
            for job in jobs:
                job.result()
        started = time.monotonic()
        for one in returns:
            self._settle(one, started)
        for name in self.systems:
            call("DELETE", f"{self.hubs[0].systems[name].url}/_sim/faults")

    def _signed_in(self) -> tuple[str, str]:
        return self.hubs[0].sign_in(), self.hubs[0].sign_in("supervisor")

    def latency(self, ms: int) -> None:
        """Let every system take about so long for an answer."""
        for name in self.systems:
            call("POST", f"{self.hubs[0].systems[name].url}/_sim/latency", {"ms": ms})

    def _is_running(self, jobs: Sequence[Future[None]]) -> bool:
        """Wait until a run is in the middle; False when all returns have ended."""
        while not self._running():
            if all(job.done() for job in jobs):
                return self._running()
            time.sleep(0.1)
        return True

    def _running(self) -> bool:
        for hub in self.hubs:
            try:
                return bool(hub.get("/api/v1/runs?state=running", self.tokens[0])["runs"])
            except DEAD:
                continue
        return False

    def _kill(self) -> None:
        """SIGKILL one server; it starts again while the next one dies."""
        at = self.rng.randrange(len(self.hubs))
        if at in self._starts:
            self._starts[at].result()
        self._trouble()
        time.sleep(self.rng.uniform(0, GAP_S))
        self.hubs[at].kill()
        self.tally.kills += 1
        self._starts[at] = self._starter.submit(revive, self.hubs[at])

    def _trouble(self) -> None:
        """Let a system fail at one of the next writes, sometimes."""
        if self.rng.random() < TROUBLE:
            kind, system = self.rng.choice(FAULTS), self.rng.choice(self.systems)
            # What is on the way twice happens twice where nobody honours keys.
            if kind == "duplicate" and system in KEYLESS:
                return
            self.hubs[0].fault(system, kind=kind, match="POST *", times=self.rng.choice((1, 2)))

    def confirm(self, one: Return, turn: int) -> None:
        """Confirm until there is an answer, by either agent through either server."""
        plan, problem = one.plan, "no answer"
        while time.monotonic() < self._give_up_at:
            hub, token = self.hubs[turn % 2], self.tokens[turn % 2]
            path = f"/api/v1/plans/{plan['id']}/confirm"
            try:
                one.answers.add(hub.post(path, {"digest": plan["digest"]}, token)["run"])
            except urllib.error.HTTPError as refused:
                problem = code_of(refused)
                if problem not in (*NOT_YET, "no answer"):
                    break
            except DEAD:
                problem = "no answer"
            else:
                return
            turn += 1
            time.sleep(0.2)
        # A system that fails at the second look is a reason not to start, and said so.
        if problem not in ("plan_changed", "plan_expired", *NOT_YET):
            self.tally.problems.append(f"{plan['object']}: {problem}")

    def _settle(self, one: Return, since: float) -> None:
        if one.run is None:
            self.tally.ends["refused"] += 1
            return
        if len(one.answers) > 1:
            self.tally.problems.append(f"{one.plan['object']} became {one.answers}")
        while True:
            view = self.hubs[0].get(f"/api/v1/runs/{one.run}", self.tokens[0])
            if view["state"] in ENDS or time.monotonic() - since > END_S:
                break
            time.sleep(0.1)
        state = view["state"] if view["state"] in ENDS else "open"
        self.tally.ends[state] += 1
        self.tally.slowest_s = max(self.tally.slowest_s, time.monotonic() - since)
        if state in ("attention", "open"):
            self._stuck.add(one.plan["object"])
        if state == "open":
            states = {step["id"]: step["state"] for step in view["steps"]}
            self.tally.problems.append(f"{one.run} has no end: {view['state']} {states}")
        self.compare(one.run, view)

    def compare(self, run: str, view: dict[str, Any]) -> None:
        """Hold what the run says against what the systems counted under its keys."""
        seen: Counter[str] = Counter()
        for name in self.systems:
            url = f"{self.hubs[0].systems[name].url}/_sim/effects?by=key"
            for kind, keys in call("GET", url).items():
                for key, count in keys.items():
                    if key.startswith(f"dh_{run}_"):
                        seen[key.removeprefix(f"dh_{run}_")] += count
                        if count > 1:
                            self.tally.doubles += 1
                            self.tally.problems.append(f"{run}: {kind} {key} ×{count}")
        seen["told"] = self._told(run, view)
        if seen["told"] > 1:
            self.tally.doubles += 1
        for step in view.get("steps", ()):
            count = seen[step["id"]]
            if step["state"] == "done" and count != 1:
                self.tally.problems.append(f"{run}: {step['id']} is done, seen ×{count}")
            if step["state"] in ("planned", "rejected") and count:
                self.tally.problems.append(f"{run}: {step['id']} {step['state']}, ×{count}")

    def _told(self, run: str, view: dict[str, Any]) -> int:
        """Count the run's message in its conversation: the hub's own step has effects too."""
        path = f"/api/v1/conversations/{view['conversation']}/messages?limit=100"
        events = self.hubs[0].get(path, self.tokens[0])["events"]
        return sum(one["data"].get("cid") == f"dh_{run}_told" for one in events)

    def _plan(self, conversation: str, object_: str, line: str) -> dict[str, Any]:
        form = {"object": object_, "lines": [{"line": line, "quantity": 1}],
                "reason": "damaged", "message": "Done."}  # fmt: skip
        body = {"conversation": conversation, "input": form}
        path = "/api/v1/actions/order.return@1/plan"
        plan: dict[str, Any] = self.hubs[0].post(path, body, self.tokens[0])
        return plan

    def plans(self) -> list[dict[str, Any]]:
        """Return plans that every system agrees with, in the world as it was at the start."""
        self.latency(0)
        for name in self.systems:
            call("POST", f"{self.hubs[0].systems[name].url}/_sim/reset", {})
        plans: list[dict[str, Any]] = []
        for candidate in self._candidates:
            # A run that needs a person keeps its order.
            if candidate[1] not in self._stuck and len(plans) < self.at_once:
                plan = self._plan(*candidate)
                plans += [plan] if plan["eligible"]["ok"] else []
        assert plans, "no order is left that can be returned"
        return plans

    def _orders(self) -> Iterator[tuple[str, str, str]]:
        """Give (conversation, object, line) of every order of which something can come back."""
        for number in range(1001, 1041):
            yield from self._of_customer(f"C-{number}")

    def _of_customer(self, customer: str) -> Iterator[tuple[str, str, str]]:
        hub, token = self.hubs[0], self.tokens[0]
        visitor = hub.visitor(customer)
        text = {"body": {"kind": "text", "text": "I want to return this."}}
        opened = hub.post("/api/v1/conversations", text, visitor["token"])
        conversation = opened["conversation"]
        path = f"/api/v1/conversations/{conversation}/actions"
        for action in hub.get(path, token)["actions"]:
            if action["type"] != "order.return@1" or not action["enabled"]:
                continue
            query = f"conversation={conversation}&object={action['object']}"
            form = hub.get(f"/api/v1/actions/{action['type']}/form?{query}", token)
            # One line each: a second return of an order waits for the first one's end.
            free = [line for line in form["lines"] if line["blocked"] is None]
            if free:
                yield conversation, action["object"], free[0]["line"]


def code_of(refused: urllib.error.HTTPError) -> str:
    """Return the problem's code; a server that died while it said it said nothing."""
    try:
        return str(json.loads(refused.read()).get("code"))
    except DEAD:
        return "no answer"


def revive(hub: Desk) -> None:
    """Start *hub* as whoever supervises it does: again, when it did not come up.

    A file has one writer at a time, and a busy one may keep a second server waiting too long.
    """
    for _ in range(STARTS):
        try:
            hub.start()
        except HubEnded:
            continue
        return
    raise AssertionError(f"it did not start in {STARTS} times")


@contextmanager
def product(database: str, names: Sequence[str] = NAMES, settings: str = "") -> Iterator[Desk]:
    """Run the whole product on *database* (``sqlite`` or ``postgresql``)."""
    with (
        postgres() if database == "postgresql" else nullcontext("") as url,
        desk(names, store=url, settings=settings) as hub,
    ):
        yield hub


def chaos(
    kills: int, seed: int, names: Sequence[str] = NAMES, at_once: int = AT_ONCE,
    database: str = "sqlite", settings: str = "",
) -> Tally:  # fmt: skip
    """Kill a whole product *kills* times and return what came of the returns."""
    with product(database, names, settings) as hub:
        trial = Chaos(hub, random.Random(seed), at_once)
        try:
            while trial.tally.kills < kills:
                trial.round(min(KILLS_A_ROUND, kills - trial.tally.kills))
                print(f"{database}: {trial.tally.line()}", file=sys.stderr)
        except Exception:
            log = hub.folder / "hub.log"
            print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
            print(f"until then: {trial.tally.line()}", file=sys.stderr)
            raise
        finally:
            trial.hubs[1].kill()
        return trial.tally


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="kills on each database")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="returns in parallel")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--without", action="append", default=[], help="leave a system out")
    options = parser.parse_args()
    names = tuple(name for name in NAMES if name not in options.without)
    both = ("sqlite", "postgresql")
    total = Tally()
    for database in both if options.database == "both" else (options.database,):
        tally = chaos(options.kills, options.seed, names, options.at_once, database)
        print(f"{database}: {tally.line()}")
        total.add(tally)
    for problem in total.problems:
        print(problem)
    print(f"seed {options.seed}")
    print(total.line())
    return 1 if total.problems else 0


if __name__ == "__main__":
    sys.exit(main())
