"""Rows that wait to leave: taken one by one, put off, given up, never guessed about."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Literal

from deskhub.clock import Clock
from deskhub.figures import Tally
from deskhub.store import mails
from deskhub.store.mails import MailKind, MailRow, MailState
from deskhub.store.store import Store
from deskhub.store.tx import Tx

# About six hours in all: a mail server that is away over lunch loses nothing.
ATTEMPTS = 12
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 3600.0
BATCH = 20
# Another process may have written down what this one does not know of.
LOOK_EVERY_S = 5.0
KEPT = timedelta(days=30)

Verdict = Literal["sent", "later", "refused", "unknown", "withdrawn"]

log = logging.getLogger(__name__)


class Outbox:
    """What of some *kinds* is due in a tenant, and what became of it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        kinds: Sequence[MailKind],
        take: Callable[[MailRow], Awaitable[None]],
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        attempts: int = ATTEMPTS,
    ) -> None:
        """Hand each due row to *take*, which ends it or puts it off."""
        self._store = store
        self._clock = clock
        self._kinds = kinds
        self._take = take
        self._first_pause_s = first_pause_s
        self.attempts = attempts
        self._wake = asyncio.Event()
        self.ended = Tally()

    def wake(self) -> None:
        """Look again soon: something may be due."""
        self._wake.set()

    async def work(self, tenant: str) -> None:
        """Send what is due in *tenant* until cancelled."""
        await self._store.transact(tenant, self._tidy)
        while True:
            self._wake.clear()
            rows = await self._due(tenant)
            for row in rows:
                await self._take(row)
                _heed_cancellation()
            if not rows:
                await self._rest(tenant)

    async def drop(self, row: MailRow, why: str) -> None:
        """Forget a row that is not needed."""
        await self._store.transact(row.tenant, lambda tx: mails.drop(tx, row.id))
        self.ended.add(row.kind, why)

    async def put_off(self, row: MailRow, pause_s: float) -> None:
        """Look at *row* again later; that is no attempt."""
        later = self._clock.now() + timedelta(seconds=pause_s)
        await self._store.transact(row.tenant, lambda tx: mails.put_off(tx, row, later))

    async def settle(self, row: MailRow, verdict: Verdict, why: str) -> None:
        """Write down how an attempt ended; what was withdrawn was written down before."""
        if verdict == "withdrawn":
            return
        if verdict == "sent":
            await self._store.transact(row.tenant, lambda tx: mails.sent(tx, row.id))
            self.ended.add(row.kind, "sent")
            log.info("mail_sent", extra={"mail": row.id, "kind": row.kind})
            return
        await self._failed(row, verdict, why)

    async def _due(self, tenant: str) -> Sequence[MailRow]:
        now = self._clock.now()
        return await self._store.read(lambda db: mails.due(db, tenant, self._kinds, now, BATCH))

    async def _failed(self, row: MailRow, verdict: Verdict, why: str) -> None:
        attempt = row.attempts + 1
        state: MailState = "waiting"
        if verdict == "unknown":
            state = "unknown"
        elif verdict == "refused" or attempt >= self.attempts:
            state = "failed"
        grown = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** (attempt - 1))
        pause_s = grown * random.uniform(0.8, 1.2)  # noqa: S311  mails must not knock in step
        next_at = self._clock.now() + timedelta(seconds=pause_s)
        await self._store.transact(
            row.tenant, lambda tx: mails.settle(tx, row, state, why, next_at)
        )
        told = {"mail": row.id, "kind": row.kind, "attempt": attempt, "why": why}
        if state == "waiting":
            self.ended.add(row.kind, "retried")
            log.warning("mail_put_off", extra=told)
        else:
            self.ended.add(row.kind, state)
            log.error("mail_given_up", extra=told | {"state": state})

    def _tidy(self, tx: Tx) -> None:
        """Take over from a process that is gone, and forget what is long done."""
        count = mails.abandoned(tx, self._kinds)
        if count:
            self.ended.add("any", "unknown", count=count)
            log.error("mails_interrupted", extra={"count": count})
        mails.forget_sent(tx, tx.now - KEPT)

    async def _rest(self, tenant: str) -> None:
        """Wait until the next row is due, or somebody says that something changed."""
        at = await self._store.read(lambda db: mails.next_due(db, tenant, self._kinds))
        wait_s = LOOK_EVERY_S
        if at is not None:
            wait_s = min(wait_s, max(0.01, (at - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return


def _heed_cancellation() -> None:
    """End when somebody wants it: on Python 3.11 the library's waits may swallow the wish.

    How the mail ended is written down by then.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
