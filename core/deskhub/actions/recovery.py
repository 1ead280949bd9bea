"""Takes up every run that nobody holds: new ones, and those a crash left in the middle."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from deskhub.actions.engine import Engine
from deskhub.actions.journal import Journal, Lease
from deskhub.actions.ports import Transactions
from deskhub.clock import Clock
from deskhub.errors import HubError
from deskhub.store import runs

log = logging.getLogger(__name__)

# With a look every two seconds an expired lease is taken over within five.
SWEEP_S = 2.0
AT_ONCE = 32


class Worker:
    """A `Service`: drives the runs of this process, at most `AT_ONCE` at a time."""

    def __init__(
        self,
        store: Transactions,
        journal: Journal,
        engine: Engine,
        clock: Clock,
        *,
        sweep_s: float = SWEEP_S,
        at_once: int = AT_ONCE,
    ) -> None:
        """Look every *sweep_s* seconds, and at once when `wake` is called."""
        self._store = store
        self._journal = journal
        self._engine = engine
        self._clock = clock
        self._sweep_s = sweep_s
        self._at_once = at_once
        self._driving: set[tuple[str, str]] = set()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look for runs now: one was just confirmed or resolved."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled. What is in the middle then is taken up at the next start."""
        await self._restored()
        async with asyncio.TaskGroup() as group:
            for lease in await self._own():
                group.create_task(self._drive(lease), name=f"run:{lease.run}")
            while True:
                await self._wake_up()
                for lease in await self._free():
                    group.create_task(self._drive(lease), name=f"run:{lease.run}")
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._sweep_s):
                        await self._wake.wait()
                self._wake.clear()

    async def _restored(self) -> None:
        try:
            await self._journal.announce_handed_over()
        except HubError as error:
            log.warning("runs_not_read", extra={"code": error.code})

    async def _wake_up(self) -> None:
        """Let runs go on that waited for something which has happened, or for too long."""
        try:
            for tenant, run, overdue in await self._store.read(
                lambda c: runs.to_wake(c, self._clock.now())
            ):
                await self._journal.wake(tenant, run, overdue=overdue)
        except HubError as error:
            log.warning("runs_not_read", extra={"code": error.code})

    async def _own(self) -> list[Lease]:
        """Claim what this very process held before it was stopped: its lease binds nobody."""
        try:
            held = await self._store.read(lambda c: runs.owned(c, self._journal.owner))
            return [
                lease
                for tenant, run in held
                if (lease := await self._claim(tenant, run, former=self._journal.owner))
            ]
        except HubError as error:
            log.warning("runs_not_read", extra={"code": error.code})
            return []

    async def _free(self) -> list[Lease]:
        """Claim live runs whose lease has ended, as many as there is room for."""
        room = self._at_once - len(self._driving)
        if room <= 0:
            return []
        try:
            free = await self._store.read(
                lambda c: runs.expired(c, self._clock.now(), room + len(self._driving))
            )
            claims = [one for one in free if one not in self._driving][:room]
            return [
                lease for tenant, run in claims if (lease := await self._claim(tenant, run))
            ]
        except HubError as error:
            log.warning("runs_not_read", extra={"code": error.code})
            return []

    async def _claim(self, tenant: str, run: str, former: str | None = None) -> Lease | None:
        lease = await self._journal.claim(tenant, run, former)
        if lease is not None:
            self._driving.add((tenant, run))
            if lease.fence > 1:
                log.info("run_taken_over", extra={"run": run, "fence": lease.fence})
        return lease

    async def _drive(self, lease: Lease) -> None:
        """Drive one run; a fault leaves it to the next look after its lease."""
        try:
            await self._engine.drive(lease)
        except* Exception as faults:
            # One run's fault must not end the others; the journal says where it stands.
            log.exception("run_interrupted", extra={"run": lease.run}, exc_info=faults)
        finally:
            self._driving.discard((lease.tenant, lease.run))
            self._wake.set()
