"""What follows the log goes on when the database was away: it waits, and begins again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from deskhub.errors import Busy, StoreDown

PAUSE_S = 1.0

log = logging.getLogger(__name__)


async def patiently(
    name: str, work: Callable[[], Awaitable[None]], *, pause_s: float = PAUSE_S
) -> None:
    """Run *work* for good; begin it anew whenever the store was down or full.

    *work* must find its own place again. Every other failure is raised.
    """
    is_down = False
    while True:
        try:
            await work()
        except (StoreDown, Busy) as error:
            if not is_down:
                log.warning("waiting_for_store", extra={"part": name, "code": error.code})
            is_down = True
            await asyncio.sleep(pause_s)
        else:
            return
