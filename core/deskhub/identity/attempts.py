"""Wrong passwords are counted before they are checked, so parallel guesses win nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deskhub.clock import Clock
from deskhub.identity.errors import SignInLocked

WINDOW_S = 15 * 60.0
# One address may not lock an agent out for everybody: the pair has the small limit.
PER_PAIR, PER_ADDRESS, PER_EMAIL = 10, 60, 100
MAX_KEYS = 50_000


@dataclass(slots=True)
class _Count:
    used: int
    resets_at: float


class Attempts:
    """Counts attempts for each (e-mail, address), address and e-mail in a fixed window.

    The place is taken before the password is looked at and given back only to who was right:
    200 parallel guesses are at most `PER_PAIR` evaluations.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, ...], _Count] = OrderedDict()

    @contextmanager
    def attempt(self, email: str, address: str) -> Iterator[Verdict]:
        """Take a place for one evaluation; raises `SignInLocked` when none is left.

        Call ``right()`` on what it gives once the password was right.
        """
        limits = {
            ("pair", email, address): PER_PAIR,
            ("address", address): PER_ADDRESS,
            ("email", email): PER_EMAIL,
        }
        counts = [(self._count(key), limit) for key, limit in limits.items()]
        full = [count.resets_at for count, limit in counts if count.used >= limit]
        if full:
            wait_s = max(full) - self._clock.monotonic()
            after_ms = int(max(1.0, wait_s) * 1000)
            raise SignInLocked(f"locked for {wait_s:.0f} s", after_ms=after_ms)
        for count, _ in counts:
            count.used += 1
        verdict = Verdict()
        yield verdict
        if verdict.was_right:
            for count, _ in counts:
                count.used -= 1

    def _count(self, key: tuple[str, ...]) -> _Count:
        now = self._clock.monotonic()
        count = self._counts.get(key)
        if count is None or count.resets_at <= now:
            count = self._counts[key] = _Count(0, now + WINDOW_S)
            self._counts.move_to_end(key)
            while len(self._counts) > MAX_KEYS:
                self._counts.popitem(last=False)
        return count


@dataclass(slots=True)
class Verdict:
    """What became of one attempt."""

    was_right: bool = False

    def right(self) -> None:
        """Give the place back: the password was right."""
        self.was_right = True
