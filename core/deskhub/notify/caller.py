"""Sends notices that are due: intent on disk before the request leaves, and none twice."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from deskhub.clock import Clock
from deskhub.figures import Tally
from deskhub.identity.records import Agent
from deskhub.notify.endpoint import origin
from deskhub.notify.notices import Notice, Notices
from deskhub.notify.service import Outcome, PushService
from deskhub.store import pushes
from deskhub.store.pushes import PushRow, PushState
from deskhub.store.store import Store
from deskhub.store.surroundings import around
from deskhub.store.tx import Tx

# About an hour in all: after that the notice is no news.
ATTEMPTS = 8
FIRST_PAUSE_S = 15.0
LONGEST_PAUSE_S = 900.0
# No service is believed that wants to be left alone for longer.
LONGEST_WISH_S = 3_600.0
AT_ONCE = 8
LOOK_EVERY_S = 5.0
KEPT = timedelta(days=1)
ORIGINS_MAX = 1_000

AgentsOf = Callable[[str], Awaitable[Sequence[Agent]]]

log = logging.getLogger(__name__)


class Caller:
    """Takes what is due in one tenant, a few browsers at a time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        service: PushService,
        notices: Notices,
        agents: AgentsOf,
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        """Send through *service* what *notices* makes; *agents* are a tenant's."""
        self._store = store
        self._clock = clock
        self._service = service
        self._notices = notices
        self._agents = agents
        self._first_pause_s = first_pause_s
        self._attempts = attempts
        self._wake = asyncio.Event()
        self._quiet: dict[str, datetime] = {}
        self.ended = Tally()

    def wake(self) -> None:
        """Look at once: something new may be due."""
        self._wake.set()

    async def work(self, tenant: str) -> None:
        """Send what is due in *tenant* until cancelled."""
        await self._store.transact(tenant, self._tidy)
        while True:
            self._wake.clear()
            now = self._clock.now()
            rows = await self._store.read(
                lambda db, at=now: pushes.due(db, tenant, at, AT_ONCE)  # type: ignore[misc]  # a default keeps the loop's value
            )
            async with asyncio.TaskGroup() as group:
                for row in rows:
                    group.create_task(self.take(row), name=f"push:{row.id}")
            if not rows:
                await self._rest(tenant)

    async def take(self, row: PushRow) -> None:
        """Send one notice, or find out that it is not needed, or when to try again."""
        agents = await self._agents(row.tenant)
        drafted = await self._store.read(lambda db: self._notices.draft(db, row, agents))
        if not isinstance(drafted, Notice):
            await self._store.transact(row.tenant, lambda tx: pushes.drop(tx, row.id))
            self.ended.add(drafted)
            return
        quiet = self._quiet.get(origin(drafted.device.endpoint))
        if quiet is not None and quiet > self._clock.now():
            await self._store.transact(row.tenant, lambda tx: pushes.put_off(tx, row, quiet))
            return

        def leave(tx: Tx) -> bool:
            return self._is_needed(tx, row, drafted, agents) and pushes.hand_over(tx, row)

        outcome = await self._service.deliver(
            drafted.device, drafted.payload, drafted.topic,
            lambda: self._store.transact(row.tenant, leave),
        )  # fmt: skip
        await self._ended(row, drafted, outcome)

    async def test(self, notice: Notice) -> Outcome:
        """Send *notice* at once, because somebody waits for it; nothing is written down."""

        async def leave() -> bool:
            return True

        outcome = await self._service.deliver(
            notice.device, notice.payload, notice.topic, leave
        )
        self._heed(notice, outcome)
        if outcome.verdict == "gone":
            await self._forget(notice)
        return outcome

    def _is_needed(
        self, tx: Tx, row: PushRow, drafted: Notice, agents: Sequence[Agent]
    ) -> bool:
        """Return whether the reader has not come by meanwhile."""
        found = around(tx.connection, row.tenant, row.conversation)
        if found is None:
            return False
        why = self._notices.needless(
            tx.connection, row, drafted.device, found.conversation, agents
        )
        return why is None

    async def _ended(self, row: PushRow, notice: Notice, outcome: Outcome) -> None:
        self._heed(notice, outcome)
        if outcome.verdict == "withdrawn":
            return
        if outcome.verdict == "gone":
            await self._forget(notice)
        state, next_at = self._next(row, outcome)
        await self._store.transact(
            row.tenant, lambda tx: pushes.settle(tx, row, state, outcome.why, next_at)
        )
        told = {"push": row.id, "attempt": row.attempts + 1, "why": outcome.why}
        if state == "waiting":
            self.ended.add("retried")
            log.warning("push_put_off", extra=told)
        elif state == "sent":
            self.ended.add("sent")
            log.info("push_sent", extra=told)
        else:
            self.ended.add("gone" if outcome.verdict == "gone" else state)
            log.warning("push_given_up", extra=told | {"state": state})

    def _next(self, row: PushRow, outcome: Outcome) -> tuple[PushState, datetime | None]:
        if outcome.verdict in ("sent", "unknown"):
            return ("sent" if outcome.verdict == "sent" else "unknown"), None
        if outcome.verdict != "later" or row.attempts + 1 >= self._attempts:
            return "failed", None
        grown = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0**row.attempts)
        pause_s = grown * random.uniform(0.8, 1.2)  # noqa: S311  notices must not knock in step
        wished_s = min(outcome.after_s or 0.0, LONGEST_WISH_S)
        return "waiting", self._clock.now() + timedelta(seconds=max(pause_s, wished_s))

    def _heed(self, notice: Notice, outcome: Outcome) -> None:
        """Leave a service alone for as long as it wants."""
        if outcome.after_s is None:
            return
        if len(self._quiet) >= ORIGINS_MAX:
            self._quiet.clear()
        pause = timedelta(seconds=min(outcome.after_s, LONGEST_WISH_S))
        self._quiet[origin(notice.device.endpoint)] = self._clock.now() + pause

    async def _forget(self, notice: Notice) -> None:
        device = notice.device
        await self._store.transact(device.tenant, lambda tx: pushes.forget(tx, device.id))
        log.info("push_device_gone", extra={"device": device.id})

    def _tidy(self, tx: Tx) -> None:
        """Take over from a process that is gone, and forget what is long done."""
        count = pushes.abandoned(tx)
        if count:
            self.ended.add("unknown", count=count)
            log.warning("pushes_interrupted", extra={"count": count})
        pushes.forget_ended(tx, tx.now - KEPT)

    async def _rest(self, tenant: str) -> None:
        """Wait until the next notice is due, or somebody says that something changed."""
        at = await self._store.read(lambda db: pushes.next_due(db, tenant))
        wait_s = LOOK_EVERY_S
        if at is not None:
            wait_s = min(wait_s, max(0.01, (at - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return
