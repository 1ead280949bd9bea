"""Drives one run to its end: intent on disk, call, outcome on disk, next move."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from deskhub.actions.calls import call_for, plain, ref_of
from deskhub.actions.errors import StaleFence
from deskhub.actions.journal import Journal, Lease
from deskhub.actions.moves import (
    Finish,
    Go,
    TurnBack,
    Undo,
    Wait,
    is_past_pivot,
    next_move,
)
from deskhub.actions.outcome import Absent, Done, Failed, classify
from deskhub.actions.ports import StepRunner
from deskhub.clock import Clock
from deskhub.errors import HubError
from deskhub.store.runs import AttemptRow, RunRow, StepRow
from deskhub_sdk.steps import WAITING

log = logging.getLogger(__name__)

# Short, so that an agent sees the end: what is still failing after 19 s is a person's.
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)
# A far side that asks for longer than this is not worth holding a run for.
LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """One call's outcome with the journal's row about it."""

    outcome: Done | Absent | Failed
    row: AttemptRow


class Engine:
    """Executes runs that this process holds; stateless beside the journal."""

    def __init__(
        self,
        journal: Journal,
        steps: StepRunner,
        clock: Clock,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        """Wait *pauses_s* between the attempts of one step, then give up."""
        self._journal = journal
        self._steps = steps
        self._clock = clock
        self._pauses_s = tuple(pauses_s)

    async def drive(self, lease: Lease) -> RunRow | None:
        """Take the run to completed, compensated or attention; None when it was taken away.

        Raises a group of `HubError` when the journal cannot be written; another drive goes
        on later.
        """
        ended: RunRow | None = None
        try:
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(self._beat(lease), name=f"lease:{lease.run}")
                ended = await self._advance(lease)
                beat.cancel()
        except* StaleFence:
            log.info("run_abandoned", extra={"run": lease.run, "fence": lease.fence})
        return ended

    async def _beat(self, lease: Lease) -> None:
        """Keep the lease while calls take their time."""
        while True:
            await asyncio.sleep(self._journal.lease_s / 3)
            try:
                await self._journal.renew(lease)
            except StaleFence:
                raise
            except HubError as error:
                # The lease may still hold; if not, every call checks it before it leaves.
                log.warning("lease_not_renewed", extra={"run": lease.run, "code": error.code})

    async def _advance(self, lease: Lease) -> RunRow:
        while True:
            run = await self._journal.load(lease)
            move = next_move(run)
            match move:
                case Go(steps):
                    async with asyncio.TaskGroup() as group:
                        for step in steps:
                            group.create_task(
                                self._forward(lease, run, step), name=f"{run.id}:{step.id}"
                            )
                case Undo(step):
                    await self._undo(lease, run, step)
                case TurnBack(cause):
                    await self._journal.turn_back(lease, cause)
                case Wait(steps):
                    asleep = await self._journal.sleep(lease, steps)
                    log.info("run_waits", extra={"run": run.id})
                    return asleep
                case Finish(state):
                    ended = await self._journal.finish(lease, state)
                    log.info("run_ended", extra={"run": run.id, "state": state})
                    return ended
                case _:
                    assert_never(move)

    async def _forward(self, lease: Lease, run: RunRow, step: StepRow) -> None:
        """Take one step to done, rejected or unknown.

        *doubt* is whether an earlier call may have had its effect: it starts with a row found
        in ``intent`` (somebody stopped in the middle) and ends only with a proof.
        """
        doubt = step.state == "intent"
        if self._moved_on(run, step):
            text = "The adapter was changed meanwhile; a person decides whether to go on."
            await self._journal.hold(lease, step, "unknown" if doubt else "held", text)
            return
        if not doubt:
            await self._journal.intent(lease, step)
        dedupe = step.spec["dedupe"]
        pauses = iter(self._pauses_s)
        while True:
            if doubt and dedupe == "none":
                await self._journal.settle(lease, step, "unknown")
                return
            asking = doubt and dedupe == "lookup"
            answer = await self._call(lease, run, step, "lookup" if asking else "run")
            outcome = answer.outcome
            if isinstance(outcome, Done):
                state = "waiting" if WAITING in outcome.fact else "done"
                await self._journal.settle(
                    lease, step, state, attempt=answer.row, fact=outcome.fact
                )
                return
            if isinstance(outcome, Absent):
                doubt = False
                await self._journal.attempt(lease, step, answer.row)
                continue
            if not asking:
                doubt = _doubt_after(outcome, doubt=doubt)
            wait_s = next(_waits(pauses, outcome), None)
            if _is_over(outcome, run, doubt=doubt, asking=asking) or wait_s is None:
                state = "unknown" if doubt else "rejected"
                await self._journal.settle(lease, step, state, attempt=answer.row)
                return
            await self._journal.attempt(lease, step, answer.row)
            await asyncio.sleep(wait_s)

    def _moved_on(self, run: RunRow, step: StepRow) -> bool:
        """Return whether another version of the adapter than the one planned would act."""
        version = self._steps.version(run.tenant, ref_of(run, step))
        return version is not None and bool(step.version) and version != step.version

    async def _undo(self, lease: Lease, run: RunRow, step: StepRow) -> None:
        """Take one step back; repeating an undo does not hurt, so every doubt repeats it."""
        if step.state != "undo_intent":
            await self._journal.undo_intent(lease, step)
        pauses = iter(self._pauses_s)
        while True:
            answer = await self._call(lease, run, step, "undo")
            outcome = answer.outcome
            if not isinstance(outcome, Failed):
                await self._journal.settle(lease, step, "undone", attempt=answer.row)
                return
            wait_s = next(_waits(pauses, outcome), None)
            if outcome.final or wait_s is None:
                await self._journal.settle(lease, step, "undo_failed", attempt=answer.row)
                return
            await self._journal.attempt(lease, step, answer.row)
            await asyncio.sleep(wait_s)

    async def _call(self, lease: Lease, run: RunRow, step: StepRow, what: str) -> _Answer:
        """Call the adapter once and say what that tells; never raises for the adapter."""
        ref, call = ref_of(run, step), call_for(run, step)
        work: Callable[[], Awaitable[Any]]
        if what == "run":
            work = lambda: self._steps.run(run.tenant, ref, call)  # noqa: E731  one per verb
        elif what == "lookup":
            work = lambda: self._steps.lookup(run.tenant, ref, call)  # noqa: E731
        else:
            fact = step.fact or {}
            work = lambda: self._steps.undo(run.tenant, ref, call, fact)  # noqa: E731
        self._journal.check(lease)
        at, started = self._clock.now(), self._clock.monotonic()
        outcome: Done | Absent | Failed
        try:
            # The host has the same deadline; the margin lets its own, better error arrive.
            async with asyncio.timeout(ref.spec.timeout_s + 1.0):
                answer = await work()
            absent = what == "lookup" and answer is None
            outcome = Absent() if absent else Done(_fact(answer))
        except Exception as error:  # noqa: BLE001  an adapter's failure is an answer
            outcome = classify(error)
        ms = (self._clock.monotonic() - started) * 1000
        return _Answer(outcome, _row(what, at, ms, outcome))


def _doubt_after(outcome: Failed, *, doubt: bool) -> bool:
    """Return whether an effect may be there after a call of run failed with *outcome*."""
    if outcome.effect == "unknown":
        return True
    return doubt and not outcome.settles


def _is_over(outcome: Failed, run: RunRow, *, doubt: bool, asking: bool) -> bool:
    """Return whether another attempt is pointless, whatever pauses are left."""
    if asking or doubt:
        return False
    if outcome.final:
        return True
    # Before the pivot a refusal is a reason to undo; after it, only forward helps.
    return not outcome.unsent and not is_past_pivot(run)


def _waits(pauses: Iterator[float], outcome: Failed) -> Iterator[float]:
    """Give the next pause, not shorter than the far side asked for; nothing when spent."""
    pause = next(pauses, None)
    if pause is None:
        return
    asked = outcome.after_s or 0.0
    if asked <= LONGEST_PAUSE_S:
        yield max(pause, asked)


def _fact(answer: object) -> dict[str, Any]:
    value = plain(answer)
    return value if isinstance(value, dict) else {}


def _row(what: str, at: datetime, ms: float, outcome: Done | Absent | Failed) -> AttemptRow:
    if isinstance(outcome, Failed):
        return AttemptRow(0, what, at, ms, ok=False, code=outcome.code, text=outcome.text)
    text = "It has not happened." if isinstance(outcome, Absent) else ""
    return AttemptRow(0, what, at, ms, ok=True, code="ok", text=text)
