"""Asks systems what changed since, for senders that give up, and for those that never push.

The cursor is the system's own time of its latest change, and each turn begins some minutes
before it: a change that was being committed while the hub looked is found by the next turn.
What is known by then is left out by its version, so that the overlap costs no event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from deskhub.clock import Clock
from deskhub.host.host import Host
from deskhub.host.running import Running
from deskhub.host.turns import Turns
from deskhub.signals.inbox import SignalInbox
from deskhub.store import signals as rows
from deskhub.store.kv import StoreKv
from deskhub.store.store import Store
from deskhub.store.tx import Connection
from deskhub_sdk import Changes, Malformed, Signal

HOOK = "changed_since"
EVERY_S = 120.0
OVERLAP = timedelta(minutes=5)
# An instance that is asked for the first time tells of its last day.
FIRST = timedelta(days=1)
# A system that never ends its pages is asked again at the next turn.
PAGES = 200
PAGE = 100
# Its place lies beside the instances' own values, under a name that none of them can have.
OWNER, CURSOR = "hub:changes:{}", "cursor"

log = logging.getLogger(__name__)


class Reconciler:
    """Keeps one cursor for each instance that can say what changed."""

    def __init__(
        self,
        host: Host,
        store: Store,
        clock: Clock,
        inbox: SignalInbox,
        *,
        every_s: float = EVERY_S,
        turns: Turns | None = None,
    ) -> None:
        """Put what the instances of *host* tell into *inbox*."""
        self._host = host
        self._store = store
        self._clock = clock
        self._inbox = inbox
        self._every_s = every_s
        self._turns = turns or Turns(store)
        self._cursors = StoreKv(store)

    async def run(self) -> None:
        """Ask until cancelled; of several processes one at a time asks an instance."""
        async with asyncio.TaskGroup() as group:
            followed: dict[Running, asyncio.Task[None]] = {}
            while True:
                able = {one for one in self._host.all_instances() if HOOK in one.hooks}
                for one in followed.keys() - able:
                    followed.pop(one).cancel()
                for one in able - followed.keys():
                    ask = partial(self._follow, one)
                    mine = self._turns.while_mine(one.tenant, f"changes:{one.id}", ask)
                    followed[one] = group.create_task(mine, name=f"changes:{one.id}")
                await self._host.changed()

    async def turn(self, one: Running) -> int:
        """Ask *one* what changed since its cursor; return how many signals were new.

        The cursor moves after the last page: whatever fails before is asked for again.
        """
        kept = await self._cursors.get(one.tenant, OWNER.format(one.id), CURSOR)
        cursor = None if kept is None else msgspec.json.decode(kept, type=datetime)
        since = cursor - OVERLAP if cursor is not None else self._clock.now() - FIRST
        times = [] if cursor is None else [cursor]
        page, new = "", 0
        for _ in range(PAGES):
            changes = await self._host.direct(one.id, HOOK, since=since, page=page)
            if not isinstance(changes, Changes) or len(changes.signals) > PAGE:
                raise Malformed(f"{one.id}: not a page of changes")
            new += await self._take(one, changes.signals)
            times += [signal.at for signal in changes.signals]
            page = changes.next
            if not page:
                break
        latest = max(times, default=None)
        if latest is not None and latest != cursor:
            encoded = msgspec.json.encode(latest)
            await self._cursors.put(one.tenant, OWNER.format(one.id), CURSOR, encoded)
        return new

    async def _follow(self, one: Running) -> None:
        while True:
            await one.ready.wait()
            try:
                new = await self.turn(one)
            except Exception as error:  # noqa: BLE001  an adapter may raise anything; it is asked again at the next turn
                log.warning(
                    "changes_not_told",
                    extra={"instance": one.id, "why": type(error).__name__},
                )
            else:
                if new:
                    log.info("changes_found", extra={"instance": one.id, "new": new})
            await asyncio.sleep(self._every_s)

    async def _take(self, one: Running, signals: Sequence[Signal]) -> int:
        """Take what is newer than what is known; the rest was told by a webhook."""
        fresh = await self._store.read(
            lambda db: [told for told in signals if told.thin or _is_news(db, one, told)]
        )
        return await self._inbox.take(one.tenant, one.id, fresh)


def _is_news(connection: Connection, one: Running, signal: Signal) -> bool:
    known = rows.known_version(connection, one.tenant, one.id, signal.object)
    return known is None or (signal.version, signal.rank) > known
