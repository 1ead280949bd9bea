"""What a run does next, from its journal alone: pure, so every process decides the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deskhub.store.runs import RunRow, StepRow

FORWARD = "forward"
BACK = "back"


@dataclass(frozen=True, slots=True)
class Go:
    """Run these steps now, together."""

    steps: tuple[StepRow, ...]


@dataclass(frozen=True, slots=True)
class TurnBack:
    """A step was refused before anything irreversible: undo what is done."""

    cause: StepRow


@dataclass(frozen=True, slots=True)
class Undo:
    """Take this step back now."""

    step: StepRow


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over, or a person must look."""

    state: Literal["completed", "compensated", "attention"]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before something happens elsewhere: sleep until it does."""

    steps: tuple[StepRow, ...]


Move = Go | TurnBack | Undo | Finish | Wait


def kind_of(step: StepRow) -> str:
    """Return the declared kind: compensable, pivot or retriable."""
    return str(step.spec["kind"])


def is_past_pivot(run: RunRow) -> bool:
    """Return whether something that cannot be undone is done."""
    return any(kind_of(step) == "pivot" and step.state == "done" for step in run.steps)


def unsettled(run: RunRow) -> tuple[StepRow, ...]:
    """Return the steps a person has to look at."""
    states: tuple[str, ...] = ("unknown", "rejected", "undo_failed", "held")
    if run.direction == FORWARD:
        states = (*states, "waiting")
    return tuple(step for step in run.steps if step.state in states)


def undoable(run: RunRow) -> tuple[StepRow, ...]:
    """Return what can still be taken back, last done first."""
    done = [s for s in run.steps if s.state == "done" and kind_of(s) == "compensable"]
    return tuple(reversed(done))


def next_move(run: RunRow) -> Move:
    """Return what *run* does next. Steps in ``intent`` are open questions and come first."""
    return _back(run) if run.direction == BACK else _forward(run)


def _forward(run: RunRow) -> Move:
    by_state: dict[str, list[StepRow]] = {}
    for step in run.steps:
        by_state.setdefault(step.state, []).append(step)
    asked = by_state.get("intent", [])
    planned = by_state.get("planned", [])
    lost = by_state.get("unknown", []) + by_state.get("held", [])
    asleep = by_state.get("waiting", [])
    refused = by_state.get("rejected", [])
    if asked and (lost or refused):
        return Go(tuple(asked))
    if lost:
        return Finish("attention")
    if refused:
        stuck = is_past_pivot(run) or any(kind_of(step) == "retriable" for step in refused)
        return Finish("attention") if stuck else TurnBack(refused[0])
    ahead = asked + planned + asleep
    if not ahead:
        return Finish("completed")
    wave = min(step.wave for step in ahead)
    now = tuple(step for step in asked + planned if step.wave == wave)
    return Go(now) if now else Wait(tuple(asleep))


def _back(run: RunRow) -> Move:
    asked = [step for step in run.steps if step.state == "undo_intent"]
    if asked:
        return Undo(asked[-1])
    if any(step.state == "undo_failed" for step in run.steps):
        return Finish("attention")
    rest = undoable(run)
    if rest:
        return Undo(rest[0])
    # What cannot be undone, or is not known, keeps a run from ending as if nothing were.
    left = any(step.state in ("done", "unknown", "intent") for step in run.steps)
    return Finish("attention" if left else "compensated")
