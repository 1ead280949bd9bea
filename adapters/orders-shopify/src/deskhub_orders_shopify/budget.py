"""How many points the shop still gives: a bucket that runs full again, as its answers say."""

from __future__ import annotations

import asyncio

from deskhub_sdk import Throttled
from deskhub_sdk.rest import Wire

# An agent waits for a panel; who asks in the background is tried again later anyhow.
PATIENCE_S = 2.0
LONGEST_S = 600.0


class Throttle(Wire, frozen=True, rename="camel"):
    """``extensions.cost.throttleStatus``: points, and points a second."""

    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(Wire, frozen=True, rename="camel"):
    """``extensions.cost``; *actual_query_cost* is None where nothing was done."""

    throttle_status: Throttle
    requested_query_cost: float = 0.0
    actual_query_cost: float | None = None


class PointBudget:
    """Holds calls back before the shop has to refuse them; knows nothing before an answer."""

    def __init__(self) -> None:
        """Know of no limit."""
        self._left = 0.0
        self._most = 0.0
        self._rate = 0.0
        self._at = 0.0
        self.held_back = 0

    def learn(self, cost: Cost, spent: float = 0.0) -> None:
        """Take in what the answer to a call says that *spent* so many points here.

        What it did not use is given back. Answers overtake each other: the lower figure
        holds, ours or the shop's.
        """
        told = cost.throttle_status
        if told.restore_rate <= 0 or told.maximum_available <= 0:
            return
        now = asyncio.get_running_loop().time()
        known = told.maximum_available
        if self._most:
            known = self._now(now) + spent - (cost.actual_query_cost or 0.0)
        self._most, self._rate, self._at = told.maximum_available, told.restore_rate, now
        self._left = min(known, told.currently_available)

    async def spend(self, points: float) -> None:
        """Take *points*, waiting at most `PATIENCE_S` until they are there.

        Raises `Throttled`, with the seconds it would take, when it would be longer: nothing
        was sent then.
        """
        if not self._most:
            return
        loop = asyncio.get_running_loop()
        wait_s = self.wait_s(points)
        if wait_s > PATIENCE_S:
            self.held_back += 1
            raise Throttled("the shop's query points are used up", retry_after_s=wait_s)
        # Taken before the wait, so that who comes meanwhile waits behind.
        self._left, self._at = self._now(loop.time()) - points, loop.time()
        if wait_s > 0:
            self.held_back += 1
            await asyncio.sleep(wait_s)

    def wait_s(self, points: float) -> float:
        """Return the seconds until *points* are there; 0 when nothing is known."""
        if not self._most:
            return 0.0
        lacking = min(points, self._most) - self._now(asyncio.get_running_loop().time())
        return min(LONGEST_S, max(0.0, lacking / self._rate))

    def told(self) -> dict[str, float]:
        """Return what is known, for a diagnosis."""
        return {
            "left": round(self._left), "most": self._most, "held_back": self.held_back,
        }  # fmt: skip

    def _now(self, now: float) -> float:
        return min(self._most, self._left + (now - self._at) * self._rate)
