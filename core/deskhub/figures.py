"""Counters and spreads that parts of the hub keep about themselves.

They cost a few hundred nanoseconds and know nobody; whoever shows them reads them. A figure's
labels are words of the code, never an id, an address or anything a client wrote.
"""

from __future__ import annotations

from bisect import bisect_left

SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class Tally:
    """How often something happened, by its labels."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        """Start empty."""
        self.counts: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, count: int = 1) -> None:
        """Count *count* more of *labels*; a negative one makes a level of it."""
        self.counts[labels] = self.counts.get(labels, 0) + count


class Spread:
    """How values are spread: how many were at most each of the bounds."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        """Count by *bounds*, ascending."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Take *value* in."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
