"""Whether one side's p99 is at most a tenth above the other's, and how sure that is.

Both sides are measured by turns, round after round, so that what else the machine does falls on
both. Messages of one moment share their fate, and so do those of one round: whole rounds are
drawn again and again, not single messages (a bootstrap over clusters), which gives an interval
for the ratio of the two p99. Only an interval that lies below the limit as a whole says
"within", and only one above it says "over".
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LIMIT = 1.10
DRAWS = 500
# More than the usual 95 of 100: the comparison is looked at after every round.
SURE = 0.98
# Of fewer messages than this, one in a hundred is an anecdote.
LEAST = 2_000
# Fewer rounds say nothing of how rounds differ.
LEAST_ROUNDS = 6

Verdict = Literal["within", "over", "undecided"]
# The times in ms of one round: quiet ones, then those beside the failing adapter.
Round = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Compared:
    """Both p99 in ms, their ratio, and the interval it lies in."""

    quiet: int
    failing: int
    quiet_p99_ms: float
    p99_ms: float
    ratio: float
    low: float
    high: float
    verdict: Verdict


def compared(rounds: Sequence[Round], *, limit: float = LIMIT) -> Compared:
    """Return how the failing times of all *rounds* compare with the quiet ones."""
    before, after = (p99(_joined(rounds, side)) for side in (0, 1))
    # The same times have the same verdict, whenever they are looked at.
    chance = random.Random(17)
    ratios = sorted(_ratio(chance.choices(rounds, k=len(rounds))) for _ in range(DRAWS))
    low, high = ratios[int(DRAWS * (1 - SURE) / 2)], ratios[int(DRAWS * (1 + SURE) / 2) - 1]
    counts = [len(_joined(rounds, side)) for side in (0, 1)]
    verdict: Verdict = "undecided"
    if min(counts) >= LEAST and len(rounds) >= LEAST_ROUNDS:
        verdict = "within" if high <= limit else "over" if low > limit else "undecided"
    return Compared(
        *counts, round(before, 2), round(after, 2), round(after / max(0.001, before), 3),
        round(low, 3), round(high, 3), verdict,
    )  # fmt: skip


def p99(times: Sequence[float]) -> float:
    """Return the time that 99 of 100 of *times* stay under; 0 without any."""
    if not times:
        return 0.0
    return heapq.nlargest(len(times) - min(len(times) - 1, int(len(times) * 0.99)), times)[-1]


def _joined(rounds: Sequence[Round], side: int) -> list[float]:
    return [ms for one in rounds for ms in one[side]]


def _ratio(rounds: Sequence[Round]) -> float:
    return p99(_joined(rounds, 1)) / max(0.001, p99(_joined(rounds, 0)))
