"""How fast HubSpot may be asked: what its headers say, and the slower limit of searching."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from deskhub_sdk import Throttled

# Five a second for a whole account, which other apps and people search as well.
SEARCH_EVERY_S = 0.25
PATIENCE_S = 2.0
_LEFT = "x-hubspot-ratelimit-remaining"
_SPAN = "x-hubspot-ratelimit-interval-milliseconds"
_DAY = "x-hubspot-ratelimit-daily-remaining"


class Pace:
    """Spaces searches and stops before HubSpot has to refuse; a fresh one knows no limit."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._search_at = 0.0
        self._closed_until = 0.0
        self.daily_left: int | None = None
        self.held_back = 0

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer says of the limits; what is no number says nothing."""
        left, span = _number(headers, _LEFT), _number(headers, _SPAN)
        if left == 0 and span is not None:
            now = asyncio.get_running_loop().time()
            self._closed_until = max(self._closed_until, now + min(60.0, span / 1000))
        day = _number(headers, _DAY)
        if day is not None:
            self.daily_left = day

    async def ready(self) -> None:
        """Return when a call may leave. Raises `Throttled` when that takes too long."""
        await self._until(self._closed_until)

    async def search(self) -> None:
        """Return when a search may leave; searches leave one by one."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._search_at, self._closed_until)
        if turn - now <= PATIENCE_S:
            # Taken before the wait, so that the next one waits behind.
            self._search_at = turn + SEARCH_EVERY_S
        await self._until(turn)

    async def _until(self, moment: float) -> None:
        wait_s = moment - asyncio.get_running_loop().time()
        if wait_s <= 0:
            return
        self.held_back += 1
        if wait_s > PATIENCE_S:
            raise Throttled("HubSpot takes no more calls now", retry_after_s=wait_s)
        await asyncio.sleep(wait_s)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    told = headers.get(name, "").strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) < 12 else None
