"""What the realtime service counts about itself."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub.figures import Tally
from deskhub.store.event import Event


class StreamFigures:
    """Counted as it happens, so that asking costs nothing.

    *open* is a level by kind of person; *resumes* counts (transport, outcome), *closes* the
    names of close codes, *lags* how often a slow reader was told so, *shed* what was left
    out under pressure.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.open = Tally()
        self.polls = Tally()
        self.resumes = Tally()
        self.closes = Tally()
        self.lags = Tally()
        self.shed = Tally()


def outcome_of(events: Sequence[Event] | None, why: str) -> str:
    """Return how a resume ended: ``resumed``, ``fresh`` without a cursor, or a reset's why."""
    if events is not None:
        return "resumed"
    return why or "fresh"
