"""An event loop whose clock jumps to the next timer when nothing else is to do.

Deadlines pass at once and in order, and a busy machine makes nobody late.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class _Idle(selectors.DefaultSelector):
    """Waits for nothing: what it would have waited is added to the clock."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is not None and timeout > 0:
            self.waited += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._idle = _Idle()
        super().__init__(self._idle)

    def time(self) -> float:
        return self._idle.waited


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Return what *work* returns, run to its end on such a loop."""

    async def done() -> T:
        return await work()

    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(done())
