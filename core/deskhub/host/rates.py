"""How many requests a far side still takes, as its answers say; one for each instance."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from deskhub_sdk import Throttled

# A reset beyond this is a moment since 1970 and no number of seconds.
MOMENT = 1_000_000_000
LONGEST_S = 3600.0
_PART = re.compile(r"(?:^|[;,\s])([rt]|remaining|reset)\s*=\s*(\d+(?:\.\d+)?)")
_NAMES = {"r": "remaining", "t": "reset"}
_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")


class RateBudget:
    """Learns from answers and holds requests back before the far side has to refuse them.

    Without such headers it holds nothing back.
    """

    def __init__(self) -> None:
        """Know of no limit."""
        self._left: float | None = None
        self._reset_at = 0.0

    def learn(self, headers: Mapping[str, str], now_s: float, at: float) -> None:
        """Take *headers* in, which came at *now_s* (loop time), *at* seconds since 1970."""
        told = _told(headers)
        if "remaining" not in told or "reset" not in told:
            return
        reset_s = told["reset"] - at if told["reset"] > MOMENT else told["reset"]
        reset_at = now_s + min(LONGEST_S, max(0.0, reset_s))
        # Answers overtake each other: in the same span the smaller number is the newer one.
        if self._left is not None and abs(reset_at - self._reset_at) < 1.0:
            self._left = min(self._left, told["remaining"])
        else:
            self._left = told["remaining"]
        self._reset_at = reset_at

    def pause(self, now_s: float, seconds: float) -> None:
        """Let nobody ask for *seconds*: the far side said so with Retry-After."""
        self._left = 0
        self._reset_at = max(self._reset_at, now_s + min(LONGEST_S, seconds))

    async def spend(self, where: str, end: float) -> None:
        """Count one request, waiting for the reset while there is time until *end*.

        Raises `Throttled` at once when the reset comes later: the request was not sent.
        """
        loop = asyncio.get_running_loop()
        while self._left is not None:
            left_s = self._reset_at - loop.time()
            if left_s <= 0:
                self._left = None
            elif self._left >= 1:
                self._left -= 1
                return
            elif loop.time() + left_s >= end:
                raise Throttled(f"{where}: no requests are left", retry_after_s=left_s)
            else:
                await asyncio.sleep(left_s)


def _told(headers: Mapping[str, str]) -> dict[str, float]:
    """Return ``remaining`` and ``reset`` in any of the spellings in use."""
    told: dict[str, float] = {}
    if (text := headers.get("ratelimit")) is not None:
        for name, value in _PART.findall(text):
            told.setdefault(_NAMES.get(name, name), float(value))
    for name in ("remaining", "reset"):
        for prefix in _PREFIXES:
            value = headers.get(f"{prefix}{name}", "").strip()
            if value.replace(".", "", 1).isdigit() and value.isascii():
                told.setdefault(name, float(value[:16]))
    return told
