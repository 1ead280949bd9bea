"""Roundup sends no webhooks, so changes are looked for by their time.

Roundup counts whole seconds. What changed in the second that is still running may change
once more under the same time, so it is told of at the next look. Each look goes back a
minute further than the last one ended; what was told is not told again.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec

from deskhub_sdk import AdapterError, Context, Signal
from deskhub_tickets_roundup.client import RoundupClient
from deskhub_tickets_roundup.mapping import CHANGED, Case

OVERLAP = timedelta(seconds=60)
OLDEST = timedelta(hours=24)
SECOND = timedelta(seconds=1)
LOOK_S = 20.0
CURSOR = "polled"
RECENT = 20_000


class Poller:
    """Looks for changed cases every few seconds, and tells the hub."""

    def __init__(self, ctx: Context, client: RoundupClient, every_s: float) -> None:
        """Take what it asks and whom it tells."""
        self._ctx = ctx
        self._client = client
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._sent: dict[str, None] = {}
        self._failing = False
        self._told = 0

    def told(self) -> dict[str, Any]:
        """Return how many changes it told of, and whether it works."""
        return {"signals": self._told, "failing": self._failing}

    async def run(self) -> None:
        """Look until it is stopped. A failed look is made again, from the same place."""
        self._task = asyncio.current_task()
        while not self._stopping:
            await asyncio.sleep(self._every_s)
            await self._try()

    async def stop(self) -> None:
        """End, also in the middle of a look; nothing is lost by that."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def begin(self) -> None:
        """Remember where to begin, by the tracker's clock, unless an earlier run did."""
        if await self._ctx.kv.get(CURSOR) is None:
            await self._keep(await self._client.now())

    async def look(self) -> int:
        """Tell the hub what changed since the last look; return how many signals left."""
        await self.begin()
        kept = await self._ctx.kv.get(CURSOR) or b""
        since = max(datetime.fromisoformat(kept.decode()), self._ctx.clock.now() - OLDEST)
        found, at = await self._client.changed(since - OVERLAP)
        fresh = [
            signal
            for one in found
            if one.updated_at < at - SECOND
            if (signal := self._signal(one)).dedupe not in self._sent
        ]
        for signal in fresh:
            await self._ctx.emit(signal)
            self._remember(signal.dedupe)
        # The second before this one is not over for who holds a transaction open.
        await self._keep(at - SECOND)
        self._told += len(fresh)
        return len(fresh)

    async def _keep(self, at: datetime) -> None:
        await self._ctx.kv.put(CURSOR, at.isoformat().encode())

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self.look()
        except (AdapterError, TimeoutError) as error:
            if not self._failing:
                code = getattr(error, "code", "timeout")
                self._ctx.log.warning("polling_failed", extra={"code": code})
            self._failing = True
        else:
            if self._failing:
                self._ctx.log.info("polling_works_again")
            self._failing = False

    def _signal(self, case: Case) -> Signal:
        return Signal(
            kind=CHANGED,
            dedupe=f"{case.key}@{case.version}",
            object=f"{self._ctx.instance}:{case.key}",
            version=case.version,
            at=case.updated_at,
            subject=case.customer,
            data=msgspec.to_builtins(case),
        )

    def _remember(self, dedupe: str) -> None:
        self._sent[dedupe] = None
        while len(self._sent) > RECENT:
            self._sent.pop(next(iter(self._sent)))
