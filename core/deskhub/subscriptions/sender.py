"""Sends what is due, again and again on the schedule, to several addresses at a time.

An attempt is written down after its answer: a process that is killed between the two sends the
message once more, under the same id, and the receiver knows it by that.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial

from deskhub.clock import Clock
from deskhub.figures import Tally
from deskhub.host.egress import retry_after
from deskhub.host.patience import patiently
from deskhub.host.posting import Posted, Poster
from deskhub.store import deliveries, subscriptions
from deskhub.store.deliveries import Attempt, DeliveryRow, DeliveryState
from deskhub.store.store import Store
from deskhub.store.subscriptions import SubscriptionRow
from deskhub.store.tx import Connection, Tx
from deskhub.subscriptions.message import body_of, headers_of, secrets_of
from deskhub.subscriptions.seal import Seal, SealBroken
from deskhub_sdk.webhooks import STANDARD

# The schedule of Standard Webhooks: the first attempt at once, the last after three days.
PAUSES_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# A far side may ask for more patience than the schedule has, but not for any.
LONGEST_ASKED_S = 86_400.0
TIMEOUT_S = 15.0
# Events begin their way in the order of the log; so many are under way to one address.
AT_ONCE = 8
# Another process may have written down what this one does not know of.
LOOK_EVERY_S = 5.0
KEPT_BODY_CHARS = 4_096
KEPT_HEADERS = 30
KEPT_HEADER_CHARS = 500
# What an answer may carry that is nobody's business.
_HIDDEN = frozenset({"set-cookie", "authorization", "www-authenticate", "proxy-authenticate"})

log = logging.getLogger(__name__)


class Sender:
    """Takes what is due in one tenant."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        seal: Seal,
        private_hosts: Collection[str],
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Sign with what *seal* opens; hosts inside the network only as *private_hosts*."""
        self._store = store
        self._clock = clock
        self._seal = seal
        self._private_hosts = private_hosts
        self._pauses_s = tuple(pauses_s)
        self._timeout_s = timeout_s
        self._wake = asyncio.Event()
        self.ended = Tally()

    def wake(self) -> None:
        """Look again soon: something may be due."""
        self._wake.set()

    async def work(self, tenant: str) -> None:
        """Send what is due in *tenant* until cancelled."""
        posters: dict[str, Poster] = {}
        under_way: dict[str, set[str]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                begin = partial(self._begin, tenant, group, posters, under_way)
                await patiently("deliveries", begin)
        finally:
            for poster in posters.values():
                await poster.close()

    async def _begin(
        self,
        tenant: str,
        group: asyncio.TaskGroup,
        posters: dict[str, Poster],
        under_way: dict[str, set[str]],
    ) -> None:
        """Begin what is due, at most `AT_ONCE` to an address, until cancelled."""
        while True:
            self._wake.clear()
            rows = await self._store.read(lambda db: subscriptions.active(db, tenant))
            await self._tend(posters, rows)
            for row in rows:
                own = under_way.setdefault(row.id, set())
                for one in await self._due(row, own):
                    own.add(one.id)
                    take = self._take(row, one, posters[row.id], own)
                    group.create_task(take, name=f"deliver:{one.id}")
            await self._rest(tenant)

    async def _tend(self, posters: dict[str, Poster], rows: Sequence[SubscriptionRow]) -> None:
        """Hold connections to the addresses of *rows*, and to no other one."""
        wanted = {row.id: row.url for row in rows}
        for id_, poster in list(posters.items()):
            if wanted.get(id_) != poster.url:
                del posters[id_]
                await poster.close()
        for id_, url in wanted.items():
            if id_ not in posters:
                posters[id_] = Poster(url, self._private_hosts)

    async def _due(self, row: SubscriptionRow, own: set[str]) -> Sequence[DeliveryRow]:
        free = AT_ONCE - len(own)
        if free <= 0:
            return ()
        now = self._clock.now()
        found = await self._store.read(
            lambda db: deliveries.due(db, row.tenant, row.id, now, AT_ONCE)
        )
        return [one for one in found if one.id not in own][:free]

    async def _take(
        self, to: SubscriptionRow, row: DeliveryRow, poster: Poster, own: set[str]
    ) -> None:
        """Post one message and write down how it went; the store's trouble is no failure."""
        try:
            await self._attempt(to, row, poster)
        except Exception:
            # It stays due. One message must not end those beside it.
            log.exception("delivery_broke_off", extra={"delivery": row.id})
            await asyncio.sleep(1.0)
        finally:
            own.discard(row.id)
            self._wake.set()

    async def _attempt(self, to: SubscriptionRow, row: DeliveryRow, poster: Poster) -> None:
        event = await self._store.read(lambda db: deliveries.event_of(db, row))
        now = self._clock.now()
        body = body_of(row, event)
        headers: Mapping[str, str] = {}
        if event is None and row.seq is not None:
            posted = Posted(0.0, "event_gone")
        else:
            try:
                headers = headers_of(row, body, secrets_of(to, self._seal, now), now)
            except SealBroken:
                posted = Posted(0.0, "secret_lost")
            else:
                posted = await poster.post(body, headers, self._timeout_s)
        attempt = Attempt(
            row.attempts + 1, now, posted.ms, headers.get(STANDARD.header, ""), posted.status,
            posted.fault, _kept_headers(posted.headers), _kept_body(posted),
        )  # fmt: skip
        await self._settle(to, row, posted, attempt)

    async def _settle(
        self, to: SubscriptionRow, row: DeliveryRow, posted: Posted, attempt: Attempt
    ) -> None:
        state, pause_s = self._verdict(row, posted)
        next_at = self._clock.now() + timedelta(seconds=pause_s)

        def work(tx: Tx) -> bool:
            if not deliveries.settle(tx, row, attempt, state, next_at):
                return False
            _note_health(tx, to, posted)
            return True

        if not await self._store.transact(row.tenant, work):
            return
        outcome = "retried" if state == "waiting" else state
        self.ended.add(outcome)
        told = {
            "subscription": to.id, "delivery": row.id, "kind": row.kind, "fault": posted.fault,
            "status": posted.status, "attempt": attempt.n, "ms": posted.ms,
        }  # fmt: skip
        if state == "done":
            log.info("delivery_done", extra=told)
        elif state == "waiting":
            log.warning("delivery_put_off", extra=told)
        else:
            log.error("delivery_given_up", extra=told)

    def _verdict(self, row: DeliveryRow, posted: Posted) -> tuple[DeliveryState, float]:
        """Return how *row* goes on, and after how many seconds."""
        if not posted.fault:
            return "done", 0.0
        if posted.fault in ("gone", "event_gone") or row.tries >= len(self._pauses_s):
            return "failed", 0.0
        # Those that failed together do not come back together.
        pause_s = self._pauses_s[row.tries] * random.uniform(0.9, 1.2)  # noqa: S311  spreads load
        asked_s = retry_after(posted.headers, self._clock.now()) or 0.0
        return "waiting", max(pause_s, min(asked_s, LONGEST_ASKED_S))

    async def _rest(self, tenant: str) -> None:
        """Wait until something is due, or somebody says that something changed."""
        now = self._clock.now()

        def look(db: Connection) -> float:
            at = deliveries.next_due(db, tenant, now)
            return LOOK_EVERY_S if at is None else (at - now).total_seconds()

        wait_s = min(LOOK_EVERY_S, max(0.01, await self._store.read(look)))
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return


def _note_health(tx: Tx, to: SubscriptionRow, posted: Posted) -> None:
    """Note on the subscription since when it fails; who answered 410 is told no more."""
    now = subscriptions.get(tx.connection, tx.tenant, to.id)
    if now is None or now.url != to.url:
        return
    if posted.fault == "gone":
        subscriptions.change(tx, to.id, state="disabled", why="gone", failing_since=tx.now)
        deliveries.give_up(tx, to.id, "gone")
        log.error("subscription_gone", extra={"subscription": to.id})
    elif posted.fault and now.failing_since is None:
        subscriptions.change(tx, to.id, failing_since=tx.now)
    elif not posted.fault and now.failing_since is not None:
        subscriptions.change(tx, to.id, failing_since=None)


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    shown = [(name, value) for name, value in headers.items() if name not in _HIDDEN]
    return {name[:100]: value[:KEPT_HEADER_CHARS] for name, value in shown[:KEPT_HEADERS]}


def _kept_body(posted: Posted) -> str:
    """Return the beginning of an answer as text that any database takes."""
    text = posted.body[: KEPT_BODY_CHARS * 4].decode("utf-8", "replace")
    return text[:KEPT_BODY_CHARS].replace("\x00", "")
