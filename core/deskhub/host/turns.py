"""Lets one of several processes at a time do a thing, and another one when it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

from deskhub.errors import Busy, StoreDown
from deskhub.ids import new_id
from deskhub.store import turns
from deskhub.store.store import Store

log = logging.getLogger(__name__)

# A process that was killed is replaced after this long at most, and a moment.
CLAIM_S = 9.0


class Turns:
    """The turns of this process. Where the database is its own, it is always its turn."""

    def __init__(self, store: Store, *, claim_s: float = CLAIM_S) -> None:
        """Keep claims in *store*; renew each three times before it would end."""
        self._store = store
        self._claim_s = claim_s
        self._owner = new_id("p")

    async def while_mine(
        self, tenant: str, name: str, work: Callable[[], Awaitable[None]]
    ) -> None:
        """Run *work* whenever it is this process's turn, until *work* ends by itself.

        It is cancelled when the turn is lost, and begun anew with the next one.
        """
        if not self._store.is_shared:
            await work()
            return
        while True:
            while not await self._claim(tenant, name):  # noqa: ASYNC110  nobody could tell
                await asyncio.sleep(self._pause_s())
            log.info("turn_taken", extra={"tenant": tenant, "turn": name})
            try:
                if await self._work(tenant, name, work):
                    return
            finally:
                await self._give_back(tenant, name)

    async def _work(self, tenant: str, name: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Run *work* while the claim is renewed; return whether it ended by itself."""

        async def run() -> None:
            await work()

        async with asyncio.TaskGroup() as group:
            working = group.create_task(run(), name=f"turn:{name}")
            renewing = group.create_task(self._renew(tenant, name), name=f"claim:{name}")
            await asyncio.wait([working, renewing], return_when=asyncio.FIRST_COMPLETED)
            ended = working.done()
            working.cancel()
            renewing.cancel()
        return ended

    async def _renew(self, tenant: str, name: str) -> None:
        """Renew the claim until it is lost: taken by another, or not renewed in time."""
        loop = asyncio.get_running_loop()
        renewed_at = loop.time()
        # Stop before the claim ends, not after: its end is another one's beginning.
        while loop.time() - renewed_at < 0.8 * self._claim_s:
            await asyncio.sleep(self._pause_s())
            asked_at = loop.time()
            mine = await self._claim(tenant, name)
            if mine:
                renewed_at = asked_at
            elif mine is not None:
                break
        log.warning("turn_lost", extra={"tenant": tenant, "turn": name})

    async def _claim(self, tenant: str, name: str) -> bool | None:
        """Return whether the turn is this process's; None when nobody can tell."""
        try:
            async with asyncio.timeout(self._claim_s / 2):
                return await self._store.transact(
                    tenant, lambda tx: turns.claim(tx, name, self._owner, self._claim_s)
                )
        except (StoreDown, Busy, TimeoutError):
            return None

    async def _give_back(self, tenant: str, name: str) -> None:
        with contextlib.suppress(StoreDown, Busy, TimeoutError):
            async with asyncio.timeout(1):
                await self._store.transact(
                    tenant, lambda tx: turns.give_back(tx, name, self._owner)
                )

    def _pause_s(self) -> float:
        return self._claim_s / 3 * random.uniform(0.6, 1.0)  # noqa: S311  not all at once
