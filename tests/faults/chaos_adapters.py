"""Failing adapters beside a busy chat: what the chat notices, and the twin that shares a process.

Messages are written all the time while one adapter after the other fails in its own way and
is asked for cards twice a second. Every phase is compared with the quiet times around it; one
that was over the limit is measured again, since a busy machine is no fault of an adapter and
an adapter's fault is there the second time too. ``--inline`` runs the same adapters in the
hub's process, to show what isolation is worth.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from deskhub.chat.commands import PostMessage
from deskhub.config import Instance
from deskhub.store.log import after
from tests.host.small_hub import SmallHub, eventually, small_hub, visitor
from tests.support.failing import FAULTS, FD, HEAD, says

RATE = 100
SHARE, SLACK_MS = 1.10, 5.0
QUIET_S = 3.0
TRIES = 4
NAMED_S = 15.0
SETTLED_S = 10.0
SEEN_S = 2.0
HANGS = {
    "hangs": ("await asyncio.sleep(3600)", ""),
    "forks": ("os.fork()", "os.fork"),
    "answers 100 MB": ("return {'x': 'y' * 100_000_000}", "the answer is"),
}
ALL = {**HANGS, **FAULTS}
INLINE = {
    "burns CPU for a second": "end = time.monotonic() + 1\nwhile time.monotonic() < end: pass",
    "holds the interpreter in a regex for a second": "re.match(r'(a+)+$', 'a' * 24 + 'b')",
}


@dataclass
class Phase:
    """What the chat noticed while one adapter failed in one way; *quiet_ms* was p99 around it."""

    fault: str
    sent: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    quiet_ms: float = 0.0
    answered_s: float = 0.0
    words: str = ""

    @property
    def limit_ms(self) -> float:
        """Return what p99 may be: a tenth more than when quiet, or five milliseconds."""
        return max(self.quiet_ms * SHARE, self.quiet_ms + SLACK_MS)

    @property
    def is_slow(self) -> bool:
        """Return whether the chat noticed."""
        return self.p99_ms > self.limit_ms


@dataclass
class Verdict:
    """All phases, with the best of each one's tries."""

    phases: list[Phase] = field(default_factory=list)
    lost: int = 0

    @property
    def slow(self) -> list[str]:
        """Return the faults that the chat noticed."""
        return [one.fault for one in self.phases if one.is_slow]

    @property
    def unnamed(self) -> list[str]:
        """Return the faults whose culprit's state says nothing about it."""
        return [
            one.fault for one in self.phases if ALL.get(one.fault, ("", ""))[1] not in one.words
        ]

    @property
    def unseen(self) -> list[str]:
        """Return the faults after which "not available" took longer than two seconds."""
        return [one.fault for one in self.phases if one.answered_s > SEEN_S]


class Writing:
    """Writes messages at a steady rate and keeps when each was due and how long it took."""

    def __init__(self, hub: SmallHub, quiet_s: float) -> None:
        self._hub = hub
        self._quiet_s = quiet_s
        self._took: list[tuple[float, float]] = []
        self._due = time.monotonic()
        self._under_way = 0

    @property
    def acknowledged(self) -> int:
        """Return how many messages were acknowledged."""
        return len(self._took)

    async def run(self) -> None:
        who = visitor("v_chaos")
        conversation = await self._hub.open(who)
        self._due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while True:
                self._due += 1 / RATE
                await asyncio.sleep(max(0.0, self._due - time.monotonic()))
                self._under_way += 1
                group.create_task(self._send(who, conversation, self._due))

    async def _send(self, who: Any, conversation: str, due: float) -> None:
        # From when it was due: a loop that stands still must not hide what it delayed.
        await self._hub.do(who, PostMessage(conversation, f"message {due}"))
        self._took.append((due, time.monotonic() - due))
        self._under_way -= 1

    async def settled(self) -> None:
        """Wait until nothing of what was is still under way."""
        await eventually(
            lambda: not self._under_way and self._due > time.monotonic() - 2 / RATE, SETTLED_S
        )

    def between(self, begin: float, end: float) -> list[float]:
        """Return how long each message took that was due then, shortest first, in ms."""
        return sorted(took * 1000 for due, took in self._took if begin <= due < end)

    async def quiet(self) -> list[float]:
        """Return how long messages take while no adapter does anything."""
        await self.settled()
        begin = time.monotonic()
        await asyncio.sleep(self._quiet_s)
        end = time.monotonic()
        await self.settled()
        return self.between(begin, end)


def share(times: list[float], of: float) -> float:
    """Return the time that *of* all *times*, sorted, stay under."""
    return round(times[min(len(times) - 1, int(len(times) * of))], 2) if times else 0.0


def written(
    folder: Path, faults: dict[str, str], isolation: str
) -> tuple[dict[str, EntryPoint], list[Instance]]:
    """Write an adapter for each fault; return their entry points and settings."""
    points, settings = {}, []
    # A module of an earlier run must not stand in for one of this run.
    run = secrets.token_hex(4)
    for number, body in enumerate(faults.values()):
        name, module = f"bad{number}", f"chaos_{run}_{number}"
        (folder / f"{module}.py").write_text(
            HEAD.replace('name="Fake"', f'name="Bad {number}"') + FD + says(body)
        )
        points[name] = EntryPoint(name, f"{module}:Test", "deskhub.adapters")
        settings.append(Instance(id=name, use=name, isolation=isolation))
    return points, settings


async def run(
    seconds: float,
    folder: Path,
    *,
    inline: bool = False,
    only: str = "",
    tries: int = TRIES,
    quiet_s: float = QUIET_S,
) -> Verdict:
    """Fail in every way for *seconds* each, and until the culprit is named."""
    chosen = INLINE if inline else {fault: body for fault, (body, _) in ALL.items()}
    chosen = {fault: body for fault, body in chosen.items() if only in fault}
    sys.path.insert(0, str(folder))
    points, settings = written(folder, chosen, "inline" if inline else "process")
    verdict = Verdict()
    try:
        async with small_hub(folder, {}, points=points, run=("host",), waits=False) as hub:
            writing = Writing(hub, quiet_s)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(writing.run())
                await writing.quiet()
                for one, fault in zip(settings, chosen, strict=True):
                    tried: list[Phase] = []
                    while len(tried) < tries and (not tried or tried[-1].is_slow):
                        tried.append(await _failing(hub, writing, one, fault, seconds))
                    verdict.phases.append(min(tried, key=lambda one: one.p99_ms - one.limit_ms))
                task.cancel()
            verdict.lost = max(0, writing.acknowledged - await _stored(hub))
            return verdict
    finally:
        sys.path.remove(str(folder))


async def _stored(hub: SmallHub) -> int:
    """Return how many messages the log holds."""
    count, place = 0, 0
    while page := await hub.store.read(
        lambda db, since=place: after(db, "main", since, 10_000)
    ):
        count += sum(event.kind == "message.posted" for event in page)
        place = page[-1].seq
    return count


async def _failing(
    hub: SmallHub, writing: Writing, settings: Instance, fault: str, seconds: float
) -> Phase:
    """Start an instance, ask it again and again while the chat goes on, between two quiet times."""
    await hub.host.change(settings.id, settings)
    one = hub.host.instance(settings.id)
    await one.ready.wait()
    quiet = await writing.quiet()
    phase = Phase(fault)
    wanted = ALL.get(fault, ("", ""))[1]
    begin = time.monotonic()
    while time.monotonic() < begin + seconds or (
        wanted not in phase.words and time.monotonic() < begin + NAMED_S
    ):
        asked = time.monotonic()
        listener = hub.host.runner.listener(settings.id)
        # The deadline of cards: after it, "not available" stands on the screen.
        answer = await hub.host.runner.ask(listener, "diagnostics", {}, deadline_s=0.8)
        phase.answered_s = max(phase.answered_s, round(time.monotonic() - asked, 2))
        if not phase.words or wanted not in phase.words:
            phase.words = one.words or f"{one.name}: {answer.error}"
        await asyncio.sleep(0.5)
    end = time.monotonic()
    await writing.settled()
    times = writing.between(begin, end)
    phase.sent, phase.p50_ms, phase.p99_ms = len(times), share(times, 0.5), share(times, 0.99)
    await hub.host.change(settings.id, None)
    # The machine has other work too: the noisier of the two quiet times counts.
    phase.quiet_ms = max(share(quiet, 0.99), share(await writing.quiet(), 0.99))
    return phase


def told(verdict: Verdict) -> str:
    """Return the phases as a table."""
    lines = [
        f"{'fault':46} {'p50 ms':>8} {'p99 ms':>8} {'quiet':>8} {'limit':>8} {'answer s':>8}  state"
    ]
    lines += [
        f"{one.fault:46} {one.p50_ms:8.2f} {one.p99_ms:8.2f} {one.quiet_ms:8.2f} "
        f"{one.limit_ms:8.2f} {one.answered_s:8.2f}  {one.words[:90]}"
        for one in verdict.phases
    ]
    lines.append(
        f"over the limit: {verdict.slow or 'none'}; unnamed: {verdict.unnamed or 'none'}; "
        f"seen late: {verdict.unseen or 'none'}; acknowledged and lost: {verdict.lost}"
    )
    return "\n".join(lines)


def main() -> int:
    """Run as a command; exit with 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(prog="make chaos-adapters")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--inline", action="store_true", help="the twin without isolation")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdict = asyncio.run(
            run(options.seconds, Path(folder), inline=options.inline, only=options.only)
        )
    print(json.dumps(asdict(verdict)) if options.json else told(verdict))
    if options.inline:
        return 0 if verdict.slow else 1
    return 1 if verdict.slow or verdict.unnamed or verdict.unseen or verdict.lost else 0


if __name__ == "__main__":
    sys.exit(main())
