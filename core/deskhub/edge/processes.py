"""How adapters feel in each process: each writes it down, and whoever answers reads it all.

Processes that share a database keep one value each in it for every tenant: what its instances
did in the last hour, by the minute. It is renewed every ten seconds and forgotten an hour
after its process ended; a hub that is alone writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from deskhub.edge.together import Felt, InProcess, Point, by_the_minute
from deskhub.edge.watching import INSTANCES
from deskhub.errors import HubError
from deskhub.ids import new_id
from deskhub.store import kv
from deskhub.store.tx import Tx

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub
    from deskhub.edge.watching import Watch
    from deskhub.host.running import Running

SHARE_EVERY_S = 10.0
# Three that did not come: the process was killed.
GONE_AFTER_S = 35.0
FORGOTTEN_AFTER_S = 3600.0
END_S = 1.0
PROCESSES = 64
# No instance of hub.toml can have this name.
PLACE = "~processes"

log = logging.getLogger(__name__)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What one process says of itself; *ended* when it says that it goes."""

    name: str
    at: datetime
    ended: bool
    instances: dict[str, Felt]


class Processes:
    """This process among the others of the installation."""

    def __init__(self, hub: Hub, watch: Watch, *, name: str = "") -> None:
        """Tell of *hub*'s instances, with the figures that *watch* took."""
        self._hub = hub
        self._watch = watch
        self._key = new_id("p")
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"

    async def share(self) -> None:
        """Say how the instances here feel until cancelled, and then that this was the last."""
        if not self._hub.store.is_shared:
            return
        try:
            while True:
                await self.tell()
                await asyncio.sleep(SHARE_EVERY_S)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await self.tell(ended=True)

    async def tell(self, *, ended: bool = False) -> None:
        """Say it once; a database that is away is told nothing."""
        now = self._hub.clock.now()
        for tenant in self._hub.config.tenants:
            here = {
                name: msgspec.structs.replace(felt, points=by_the_minute(felt.points))
                for name, felt in list(self._here(tenant).items())[:INSTANCES]
            }
            told = Told(name=self._name, at=now, ended=ended, instances=here)
            value = msgspec.msgpack.encode(told)
            forgotten = now - timedelta(seconds=FORGOTTEN_AFTER_S)

            def write(tx: Tx, value: bytes = value, before: datetime = forgotten) -> None:
                kv.put(tx.connection, tx.tenant, PLACE, self._key, value, tx.now)
                kv.forget_before(tx.connection, tx.tenant, PLACE, before)

            try:
                await self._hub.store.transact(tenant, write)
            except HubError as error:
                log.debug("health_not_shared", extra={"tenant": tenant, "code": error.code})

    async def of_all(self, tenant: str) -> Mapping[str, Sequence[InProcess]]:
        """Return each instance of *tenant* in each process, this one first."""
        now = self._hub.clock.now()
        found = {
            name: [InProcess(name=self._name, at=now, is_here=True, is_gone=False, felt=felt)]
            for name, felt in self._here(tenant).items()
        }
        for told in await self._others(tenant):
            gone = told.ended or now - told.at > timedelta(seconds=GONE_AFTER_S)
            for name, felt in told.instances.items():
                if name in found:
                    there = InProcess(
                        name=told.name, at=told.at, is_here=False, is_gone=gone, felt=felt
                    )
                    found[name].append(there)
        return found

    async def of(self, one: Running) -> Sequence[InProcess]:
        """Return *one* in each process, this one first."""
        return (await self.of_all(one.tenant))[one.id]

    async def _others(self, tenant: str) -> Sequence[Told]:
        if not self._hub.store.is_shared:
            return ()
        try:
            rows = await self._hub.store.read(
                lambda db: kv.newest(db, tenant, PLACE, PROCESSES)
            )
        except HubError:
            # Then this process is all that can be known.
            return ()
        found = []
        for key, value in rows:
            if key != self._key:
                # Another version may say it in another way.
                with suppress(msgspec.DecodeError, msgspec.ValidationError):
                    found.append(msgspec.msgpack.decode(value, type=Told))
        return sorted(found, key=lambda told: (told.ended, told.name, told.at))

    def _here(self, tenant: str) -> dict[str, Felt]:
        mine = [one for one in self._hub.host.instances(tenant) if not one.built_in]
        return {one.id: self._felt(one) for one in mine}

    def _felt(self, one: Running) -> Felt:
        figures, guard = one.guard.figures, one.guard
        points = [
            Point(each.at.timestamp(), each.calls, each.errors, each.p95_ms, each.state)
            for each in self._watch.samples(one.id)
        ]
        return Felt(
            state=one.state,
            text=one.words,
            breaker=guard.breaker.phase,
            calls=figures.calls,
            errors=figures.errors,
            late=figures.late,
            busy=figures.busy,
            http_calls=figures.http_calls,
            in_flight=guard.bulkhead.in_flight,
            waiting=guard.bulkhead.waiting,
            p95_ms=round(figures.p95_ms, 1),
            points=points,
        )
