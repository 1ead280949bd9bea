"""Receives webhooks, and routes stored signals to the conversations they concern."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from deskhub.clock import Clock
from deskhub.errors import Busy, StoreDown
from deskhub.host.errors import UnknownHook, UnknownInstance
from deskhub.host.host import Host
from deskhub.host.patience import PAUSE_S, patiently
from deskhub.ids import new_id
from deskhub.signals.errors import WebhookForged, WebhookMalformed, WebhookUnread
from deskhub.signals.inbox import SignalInbox
from deskhub.signals.later import KeptForLater
from deskhub.signals.reconcile import Reconciler
from deskhub.signals.refetch import Found, key_of, signals_of
from deskhub.signals.route import Router
from deskhub.store import signals as rows
from deskhub.store.signals import SignalRow
from deskhub.store.store import Store
from deskhub_sdk import AdapterError, Forged, Malformed, Signal, WebhookRequest
from deskhub_sdk.webhooks import METHOD, URL

MAX_SIGNALS = 100
MAX_FIELD_CHARS = 200
PARALLEL = 8
# Ten attempts over about a day; what has not worked then needs a person.
PAUSES_S = (1, 5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800)
KEEP = timedelta(days=30)
# How often a process looks for what another one left behind.
LOOK_S = 5.0
SWEEP_EVERY_S = 3_600.0

log = logging.getLogger(__name__)


class Signals:
    """One for each process; `run` routes until cancelled."""

    def __init__(
        self,
        host: Host,
        store: Store,
        clock: Clock,
        inbox: SignalInbox,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        """Ask the adapters of *host* about what *inbox* took; retry after *pauses_s*."""
        self._host = host
        self._store = store
        self._clock = clock
        self._inbox = inbox
        self._pauses_s = tuple(pauses_s)
        self._router = Router(host, store)
        self._later = KeptForLater(store)
        self.reconciler = Reconciler(host, store, clock, inbox)

    async def receive(
        self, instance: str, headers: Mapping[str, str], body: bytes, url: str = ""
    ) -> int:
        """Verify and store one webhook; return how many new signals it held.

        *url* is the address that its sender was given: some sign it, too.
        Raises `UnknownInstance`, `WebhookForged`, `WebhookMalformed`, and `WebhookUnread`
        when the sender should come again. Nothing is stored then.
        """
        running = self._host.instance(instance)
        request = WebhookRequest(
            instance=instance,
            headers={name.lower(): value for name, value in headers.items()}
            | {METHOD: "POST", URL: url},
            body=body,
            received_at=self._clock.now(),
        )
        try:
            found = await self._host.direct(instance, "receive_webhook", request=request)
        except UnknownHook as error:
            raise UnknownInstance(instance) from error
        except Forged as error:
            log.warning("webhook_forged", extra={"instance": instance, "why": str(error)})
            raise WebhookForged(instance) from error
        except Malformed as error:
            raise WebhookMalformed(instance) from error
        except AdapterError as error:
            raise WebhookUnread(f"{instance}: {error.code}", after_ms=5_000) from error
        # An adapter may raise anything; the sender keeps the webhook and comes again.
        except Exception as error:
            raise WebhookUnread(f"{instance}: {type(error).__name__}") from error
        return await self._inbox.take(running.tenant, instance, _checked(instance, found))

    async def run(self) -> None:
        """Route what is due, show what was kept, forget what is old, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._route_forever(), name="route-signals")
            group.create_task(patiently("later", self._later.run), name="kept-cards")
            group.create_task(self.reconciler.run(), name="reconcile")
            group.create_task(patiently("sweep", self._sweep_forever), name="sweep-signals")

    async def dead(self, tenant: str) -> Sequence[SignalRow]:
        """Return the signals that were given up."""
        return await self._store.read(lambda db: rows.dead(db, tenant))

    async def listed(self, tenant: str, states: Collection[str]) -> Sequence[SignalRow]:
        """Return the latest signals in *states*, of whichever instance, newest first."""
        return await self._store.read(lambda db: rows.listed(db, tenant, states))

    async def trigger(
        self,
        tenant: str,
        instance: str,
        *,
        kind: str,
        about: str,
        subject: str | None,
        data: Mapping[str, Any],
    ) -> str:
        """Take a signal in as if *instance* had sent it now; return its id."""
        now = self._clock.now()
        signal = Signal(
            kind=kind, dedupe=new_id("manual"), object=about, at=now, subject=subject,
            version=int(now.timestamp() * 1000), data=data,
        )  # fmt: skip
        await self._inbox.emit(tenant, instance, signal)
        return signal.dedupe

    async def replay(self, tenant: str, instance: str, dedupe: str) -> bool:
        """Give a dead signal all its attempts again; return whether there was one."""
        now = self._clock.now()
        done = await self._store.transact(
            tenant, lambda tx: rows.revive(tx.connection, tenant, instance, dedupe, now)
        )
        if done:
            self._inbox.arrived.set()
        return done

    async def _route_forever(self) -> None:
        """Route what is due, one round at a time for each instance.

        A system that takes long to say what is true now holds up nobody else's signals.
        """
        busy: set[str] = set()
        async with asyncio.TaskGroup() as group:
            await patiently("route", partial(self._begin_rounds, group, busy))

    async def _begin_rounds(self, group: asyncio.TaskGroup, busy: set[str]) -> None:
        while True:
            self._inbox.arrived.clear()
            now = self._clock.now()
            due = await self._store.read(lambda db, now=now: rows.due(db, now, busy))  # type: ignore[misc]  # a default keeps the loop's value
            for instance in dict.fromkeys(row.instance for row in due):
                busy.add(instance)
                own = [row for row in due if row.instance == instance]
                group.create_task(self._round(own, busy), name=f"route:{instance}")
            if not due:
                await self._until_due(busy)

    async def _round(self, due: Sequence[SignalRow], busy: set[str]) -> None:
        """Route what is due of one instance; it is busy until then."""
        try:
            await self._route_all(due)
        except* (StoreDown, Busy):
            # They stay due.
            await asyncio.sleep(PAUSE_S)
        finally:
            busy.discard(due[0].instance)
            self._inbox.arrived.set()

    async def _until_due(self, busy: Collection[str]) -> None:
        """Wait for a new signal, for the end of a round, or for an old one's next attempt."""
        moment = await self._store.read(lambda db: rows.next_due(db, busy))
        pause_s = None if moment is None else self._seconds_until(moment)
        if self._store.is_shared:
            # A process that took a signal may have died before it routed it.
            pause_s = LOOK_S if pause_s is None else min(pause_s, LOOK_S)
        try:
            async with asyncio.timeout(pause_s):
                await self._inbox.arrived.wait()
        except TimeoutError:
            return

    def _seconds_until(self, moment: datetime) -> float:
        return max(0.01, (moment - self._clock.now()).total_seconds())

    async def _route_all(self, due: Sequence[SignalRow]) -> None:
        """Route signals about different objects side by side, those about one in order."""
        found = await signals_of(self._host, due)
        lanes: dict[tuple[str, str], list[SignalRow]] = {}
        for row in due:
            lanes.setdefault((row.tenant, row.object), []).append(row)
        limit = asyncio.Semaphore(PARALLEL)
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._route_lane(lane, found, limit), name="route-lane")

    async def _route_lane(
        self, lane: Sequence[SignalRow], found: Found, limit: asyncio.Semaphore
    ) -> None:
        async with limit:
            for row in lane:
                try:
                    fresh = found[key_of(row)]
                    if isinstance(fresh, Exception):
                        raise fresh
                    await self._router.route(row, fresh)
                except (StoreDown, Busy):
                    # It says nothing about the signal, which stays due.
                    await asyncio.sleep(PAUSE_S)
                    return
                except Exception as error:  # noqa: BLE001  a poisoned signal stops only itself
                    await self._failed(row, error)

    async def _failed(self, row: SignalRow, error: Exception) -> None:
        """Count a failed attempt; after the last one the signal waits for a person."""
        why = f"{type(error).__name__}: {error}"[:500]
        attempt = row.attempts + 1
        is_last = attempt >= len(self._pauses_s)
        log.log(
            logging.ERROR if is_last else logging.WARNING,
            "signal_given_up" if is_last else "signal_postponed",
            extra={"instance": row.instance, "dedupe": row.dedupe, "attempt": attempt},
            exc_info=error,
        )
        if is_last:
            await self._store.transact(
                row.tenant, lambda tx: rows.settle(tx.connection, row, "dead", why)
            )
            return
        again = self._clock.now() + timedelta(seconds=self._pauses_s[row.attempts])
        await self._store.transact(
            row.tenant, lambda tx: rows.postpone(tx.connection, row, again, why)
        )

    async def _sweep_forever(self) -> None:
        while True:
            for tenant in {one.tenant for one in self._host.all_instances()}:
                await self._store.transact(
                    tenant, lambda tx: rows.sweep(tx.connection, tx.tenant, tx.now - KEEP)
                )
            await asyncio.sleep(SWEEP_EVERY_S)


def _checked(instance: str, found: object) -> Sequence[Signal]:
    """Return what the adapter parsed, if it is what the hook promises."""
    if not isinstance(found, Sequence) or not all(isinstance(one, Signal) for one in found):
        log.error("webhook_answer_invalid", extra={"instance": instance})
        raise WebhookUnread(f"{instance}: the adapter answered no signals")
    if len(found) > MAX_SIGNALS:
        raise WebhookMalformed(f"{instance}: {len(found)} signals")
    for one in found:
        if max(len(one.dedupe), len(one.object), len(one.kind)) > MAX_FIELD_CHARS:
            raise WebhookMalformed(f"{instance}: an id is too long")
    return found
