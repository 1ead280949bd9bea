"""What a person can do about a run that needs one, with one suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deskhub.actions.calls import spec_of
from deskhub.actions.moves import BACK, is_past_pivot, kind_of, undoable, unsettled
from deskhub.store.runs import RunRow, StepRow

Do = Literal["check", "retry", "undo", "done", "hand_over", "go_on"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One button. *needs_reason* where a person states what no machine could find out."""

    do: Do
    label: str
    needs_reason: bool = False
    suggested: bool = False


def choices(run: RunRow) -> tuple[Choice, ...]:
    """Return the buttons of *run*, empty unless it waits or is in ``attention``."""
    if run.state not in ("attention", "waiting"):
        return ()
    offered = [choice for choice in _offer(run) if choice is not None]
    first = offered[0]
    return (Choice(first.do, first.label, first.needs_reason, suggested=True), *offered[1:])


def checkable(run: RunRow) -> tuple[StepRow, ...]:
    """Return the steps of unknown outcome whose system can be asked."""
    return tuple(
        step for step in unsettled(run) if step.state == "unknown" and spec_of(step).can_lookup
    )


def _asleep(run: RunRow, stuck: tuple[StepRow, ...]) -> list[Choice | None]:
    """List what is possible while nothing but time has gone wrong."""
    systems = " and ".join(dict.fromkeys(spec_of(step).system for step in stuck))
    return [
        Choice("go_on", f"Look again now ({systems})"),
        Choice("done", f"Mark as done by hand ({systems})", needs_reason=True),
        _undo(run) if undoable(run) and not is_past_pivot(run) else None,
        Choice("hand_over", "Hand over with a note of what is left", needs_reason=True),
    ]


def _offer(run: RunRow) -> list[Choice | None]:
    """List what is possible, the wisest first."""
    stuck = unsettled(run)
    if stuck and all(step.state == "waiting" for step in stuck):
        return _asleep(run, stuck)
    systems = " and ".join(dict.fromkeys(spec_of(step).system for step in stuck))
    unknown = [step for step in stuck if step.state == "unknown"]
    claimed = [step for step in unknown if spec_of(step).dedupe == "none"]
    check = Choice("check", f"Check again with {systems}") if checkable(run) else None
    if claimed:
        retry = Choice("retry", f"It did not happen: do it now ({systems})", needs_reason=True)
    elif run.direction == BACK:
        retry = Choice("retry", f"Try again to undo ({systems})")
    else:
        retry = Choice("retry", f"Try again ({systems}); safe, it cannot happen twice")
    back = undoable(run) and not is_past_pivot(run) and run.direction != BACK
    pivot_unknown = any(kind_of(step) == "pivot" for step in unknown)
    undo = _undo(run) if back and not pivot_unknown else None
    done = Choice("done", f"Mark as done by hand ({systems})", needs_reason=True)
    hand = Choice("hand_over", "Hand over with a note of what is left", needs_reason=True)
    if claimed:
        return [check, hand, done, retry, undo]
    return [check, retry, undo, done, hand]


def _undo(run: RunRow) -> Choice:
    count = len(undoable(run))
    if count == 1:
        return Choice("undo", "Undo 1 finished step and stop")
    return Choice("undo", f"Undo {count} finished steps and stop")
