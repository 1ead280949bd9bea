"""Long-running parts of the hub: one protocol, one supervisor, one order of shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger("deskhub.services")

# A part that fails again and again is a bug that restarts cannot mend.
MAX_RESTARTS = 5
STEADY_AFTER_S = 60.0


class Service(Protocol):
    """A part with a life of its own; `run` ends only when it is cancelled."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...


async def supervise(name: str, service: Service) -> None:
    """Run *service* for good: restart it after a fault, with growing pauses.

    Raises the last fault when it failed `MAX_RESTARTS` times without a steady minute between,
    so that the process ends loudly instead of limping.
    """
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        started = loop.time()
        try:
            await service.run()
        except Exception:
            failures = 1 if loop.time() - started > STEADY_AFTER_S else failures + 1
            log.exception("service_failed", extra={"service": name, "failures": failures})
            if failures > MAX_RESTARTS:
                raise
            await asyncio.sleep(min(5.0, 0.1 * 2**failures))
        else:
            log.info("service_ended", extra={"service": name})
            return


async def run_all(services: Sequence[tuple[str, Service]], until: asyncio.Event) -> None:
    """Run every service until *until* is set; then stop them in reverse order.

    The order of *services* is the order of dependence: what comes later uses what comes
    earlier, so it is stopped first.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(supervise(name, service), name=f"service:{name}")
            for name, service in services
        ]
        await until.wait()
        for task in reversed(tasks):
            task.cancel()
            # The group re-raises faults; here only the end counts.
            await asyncio.wait([task])
