"""Where signals arrive: each is stored once, whatever its sender repeats."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from deskhub.clock import Clock
from deskhub.store import signals as rows
from deskhub.store.signals import SignalRow, Taken
from deskhub.store.store import Store
from deskhub.store.tx import Tx
from deskhub_sdk import Signal

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
# What a fact says; what came with a later version of the contract counts only if it is set.
_SAID = ("kind", "dedupe", "object", "version", "subject", "data")

log = logging.getLogger(__name__)


class SignalInbox:
    """Stores signals; `arrived` is set when there is something new to route."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Keep signals in *store*."""
        self._store = store
        self._clock = clock
        self.arrived = asyncio.Event()

    async def emit(self, tenant: str, instance: str, signal: Signal) -> None:
        """Take a signal that an adapter found by itself; stored before this returns."""
        await self.take(tenant, instance, [signal])

    async def take(self, tenant: str, instance: str, signals: Sequence[Signal]) -> int:
        """Store *signals* in one transaction; return how many were new.

        A known id with the same content is a repetition and changes nothing. With another
        content it is a security event: somebody reuses ids, and nothing of it is applied.
        """
        if not signals:
            return 0
        fresh = [self._row(tenant, instance, signal) for signal in signals]

        def work(tx: Tx) -> list[Taken]:
            return [rows.take(tx.connection, row) for row in fresh]

        taken = await self._store.transact(tenant, work)
        for row, how in zip(fresh, taken, strict=True):
            if how == "conflict":
                log.error(
                    "security_signal_id_reused",
                    extra={"tenant": tenant, "instance": instance, "dedupe": row.dedupe},
                )
        new = taken.count("new")
        if new:
            self.arrived.set()
        return new

    def _row(self, tenant: str, instance: str, signal: Signal) -> SignalRow:
        now = self._clock.now()
        digest = hashlib.sha256(msgspec.json.encode(_said(signal), order="sorted")).digest()
        return SignalRow(
            tenant=tenant,
            instance=instance,
            dedupe=signal.dedupe,
            digest=digest,
            object=signal.object,
            body=msgspec.json.encode(signal),
            received_at=now,
            state="pending",
            attempts=0,
            next_at=now,
        )


def _said(signal: Signal) -> dict[str, Any]:
    """Return what tells two facts apart: when it was sent does not, a repetition is late."""
    told = {name: getattr(signal, name) for name in _SAID} | {"at": _ANY_TIME}
    return told | ({"rank": signal.rank} if signal.rank else {})
