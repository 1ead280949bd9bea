"""Between the log and the bus: a commit here wakes other processes, and theirs wakes us."""

from __future__ import annotations

import asyncio

from deskhub.bus.port import Bus
from deskhub.store.store import Store


class Relay:
    """Ties a store to a bus. Without it, processes learn of each other a second later."""

    def __init__(self, store: Store, bus: Bus) -> None:
        """Connect *store* to *bus* while `run` runs."""
        self._store = store
        self._bus = bus

    async def run(self) -> None:
        """Pass wake-ups on until cancelled."""
        unpublish = self._store.on_commit(self._bus.wake)
        unlisten = self._bus.listen(self._store.hint)
        try:
            await asyncio.Event().wait()
        finally:
            unlisten()
            unpublish()
