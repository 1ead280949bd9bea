"""The owner of every task that runs adapter code: nothing is lost, nothing can hang a caller.

Adapter code may swallow its cancellation. So nobody awaits it directly: a caller waits for
its task at most until a deadline, and the owner keeps whatever is left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import Context
from typing import Any, TypeVar

from deskhub.host.errors import TooLate

T = TypeVar("T")

log = logging.getLogger(__name__)


class TaskOwner:
    """Starts tasks, keeps a strong reference to each, and waits for them when it closes."""

    def __init__(self) -> None:
        """Own nothing yet."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._abandoned: set[asyncio.Task[Any]] = set()
        self.abandoned_total = 0

    @property
    def running(self) -> int:
        """Return how many tasks have not ended, abandoned ones included."""
        return len(self._tasks)

    @property
    def abandoned(self) -> int:
        """Return how many tasks were told to end and have not."""
        return len(self._abandoned)

    def start(
        self,
        work: Coroutine[Any, Any, T],
        *,
        name: str,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Return *work* as a running task; its failure is the business of who awaits it."""
        loop = asyncio.get_running_loop()
        # Owned: loop. This object holds the task and waits for it in `close`.
        task = loop.create_task(work, name=name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run *work* to its end, with nobody waiting; a failure is logged."""
        self.start(work, name=name).add_done_callback(_log_failure)

    def abandon(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Cancel *tasks* and wait for none of them; whatever they still raise is dropped."""
        for task in tasks:
            if not task.done():
                self.abandoned_total += 1
                self._abandoned.add(task)
                task.cancel()

    async def bounded(
        self, work: Callable[[], Awaitable[T]], timeout_s: float, *, name: str
    ) -> T:
        """Return what *work* returns, or raise `TooLate` after *timeout_s* seconds.

        Returns on time also when *work* swallows its cancellation.
        """
        task = self.start(_awaited(work), name=name)
        try:
            done, _ = await asyncio.wait([task], timeout=timeout_s)
        except asyncio.CancelledError:
            self.abandon([task])
            raise
        if not done:
            self.abandon([task])
            raise TooLate(f"{name} did not end within {timeout_s:g} s")
        return task.result()

    async def close(self, grace_s: float = 1.0) -> None:
        """Cancel everything and wait at most *grace_s*; what swallows that is reported."""
        here = asyncio.current_task()
        left = {task for task in self._tasks if task is not here}
        for task in left:
            task.cancel()
        if not left:
            return
        _, stuck = await asyncio.wait(left, timeout=grace_s)
        if stuck:
            names = sorted(task.get_name() for task in stuck)
            log.error("tasks_did_not_end", extra={"count": len(stuck), "names": names[:10]})

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._abandoned.discard(task)
        if not task.cancelled():
            # Looked at, so that the loop does not report it as never retrieved: whoever
            # wanted the outcome has it, and abandoned work has nobody left.
            task.exception()


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task_failed", extra={"task": task.get_name()}, exc_info=error)


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
