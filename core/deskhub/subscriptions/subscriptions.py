"""Outbound webhooks: what the hub runs beside the chat, and what routes ask of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from deskhub.clock import Clock
from deskhub.config import Config
from deskhub.errors import NotFound
from deskhub.figures import Tally
from deskhub.host.patience import patiently
from deskhub.host.posting import UrlRefused, check_url
from deskhub.host.turns import Turns
from deskhub.identity.keys import KeyTable
from deskhub.identity.model import Principal
from deskhub.ids import new_id
from deskhub.store import audit, deliveries, subscriptions
from deskhub.store.deliveries import TEST, Attempt, DeliveryRow, DeliveryState
from deskhub.store.store import Store
from deskhub.store.subscriptions import SubscriptionRow
from deskhub.store.tx import Connection, Tx
from deskhub.subscriptions.errors import (
    EndpointRefused,
    SubscriptionDisabled,
    TooManySubscriptions,
)
from deskhub.subscriptions.feed import Feed
from deskhub.subscriptions.message import body_of, place_of
from deskhub.subscriptions.seal import Seal, new_secret
from deskhub.subscriptions.sender import PAUSES_S, TIMEOUT_S, Sender

SUBSCRIPTIONS_MAX = 50
# How long the secret before signs beside the new one.
OVERLAP = timedelta(hours=24)
SWEEP_EVERY_S = 3_600.0

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an admin wants of an endpoint; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    kinds: Sequence[str] | None = None
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery with everything that a person looks at: its *body* as it is now."""

    row: DeliveryRow
    attempts: Sequence[Attempt]
    body: str


class Subscriptions:
    """Everything about outbound webhooks in one process. One `run` for the process."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        keys: KeyTable,
        *,
        turns: Turns | None = None,
        pauses_s: Sequence[float] = PAUSES_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Do as ``[webhooks]`` of *config* says."""
        self._config = config
        self._store = store
        self._clock = clock
        self._seal = Seal(keys)
        self._turns = turns or Turns(store)
        self._private_hosts = frozenset(config.webhooks.private_hosts)
        self.sender = Sender(
            store, clock, self._seal, self._private_hosts, pauses_s=pauses_s,
            timeout_s=timeout_s,
        )  # fmt: skip
        self._feed = Feed(store, self.sender.wake)

    @property
    def ended(self) -> Tally:
        """Return how attempts ended in this process, by outcome."""
        return self.sender.ended

    async def run(self) -> None:
        """Note, send and forget until cancelled; of several processes one at a time."""
        async with asyncio.TaskGroup() as group:
            for tenant in self._config.tenants:
                parts = (
                    ("feed", self._feed.follow),
                    ("send", self.sender.work),
                    ("sweep", self._sweep),
                )
                for name, part in parts:
                    turn = f"webhooks-{name}"
                    mine = partial(patiently, turn, partial(part, tenant))
                    group.create_task(
                        self._turns.while_mine(tenant, turn, mine), name=f"{turn}:{tenant}"
                    )

    async def listed(
        self, tenant: str
    ) -> tuple[Sequence[SubscriptionRow], dict[str, dict[str, int]]]:
        """Return every subscription, and how many deliveries each has in which state."""
        return await self._store.read(
            lambda db: (subscriptions.listed(db, tenant), deliveries.counts(db, tenant))
        )

    async def create(
        self, principal: Principal, name: str, url: str, kinds: Sequence[str]
    ) -> tuple[SubscriptionRow, str]:
        """Tell *url* of *kinds* from now on; return it and its secret, shown this once.

        Raises `EndpointRefused` and `TooManySubscriptions`.
        """
        self._check(url)
        id_, secret = new_id("sub"), new_secret()
        sealed = self._seal.seal(secret, place_of(principal.tenant, id_))

        def work(tx: Tx) -> SubscriptionRow:
            if len(subscriptions.listed(tx.connection, tx.tenant)) >= SUBSCRIPTIONS_MAX:
                raise TooManySubscriptions
            row = SubscriptionRow(
                tx.tenant, id_, name, url, list(kinds), "active", "", sealed, "", None, tx.head,
                principal.by, tx.now,
            )  # fmt: skip
            subscriptions.add(tx, row)
            _audit(tx, principal, "created", id_, url=url, kinds=list(kinds))
            return row

        return await self._store.transact(principal.tenant, work), secret

    async def change(self, principal: Principal, id_: str, wanted: Wanted) -> SubscriptionRow:
        """Change what *wanted* says. Raises `NotFound` and `EndpointRefused`."""
        if wanted.url is not None:
            self._check(wanted.url)
        values: dict[str, object] = {}
        if wanted.name is not None:
            values["name"] = wanted.name
        if wanted.url is not None:
            values |= {"url": wanted.url, "failing_since": None}
        if wanted.kinds is not None:
            values["kinds"] = list(wanted.kinds)
        if wanted.is_active is not None:
            values |= {
                "state": "active" if wanted.is_active else "disabled",
                "why": "" if wanted.is_active else "admin",
                "failing_since": None,
            }

        def work(tx: Tx) -> SubscriptionRow:
            if wanted.is_active:
                # What happened while it was off is not told.
                values["from_seq"] = tx.head
            if values and not subscriptions.change(tx, id_, **values):
                raise NotFound(f"subscription {id_}")
            _audit(tx, principal, "changed", id_, **_said(values))
            return _known(tx.connection, tx.tenant, id_)

        return await self._done(principal, work)

    async def rotate(self, principal: Principal, id_: str) -> tuple[SubscriptionRow, str]:
        """Make a new secret; the one before signs beside it for a day. Raises `NotFound`."""
        secret = new_secret()
        sealed = self._seal.seal(secret, place_of(principal.tenant, id_))

        def work(tx: Tx) -> SubscriptionRow:
            before = _known(tx.connection, tx.tenant, id_)
            until = tx.now + OVERLAP
            subscriptions.change(
                tx, id_, secret=sealed, old_secret=before.secret, old_until=until
            )
            _audit(tx, principal, "rotated", id_)
            return replace(before, secret=sealed, old_secret=before.secret, old_until=until)

        return await self._done(principal, work), secret

    async def remove(self, principal: Principal, id_: str) -> None:
        """Tell it nothing any more and forget its deliveries. Raises `NotFound`."""

        def work(tx: Tx) -> None:
            if not subscriptions.remove(tx, id_):
                raise NotFound(f"subscription {id_}")
            _audit(tx, principal, "removed", id_)

        await self._done(principal, work)

    async def test(self, principal: Principal, id_: str) -> str:
        """Send a message that stands for no event; return its delivery's id.

        Raises `NotFound` and `SubscriptionDisabled`.
        """

        def work(tx: Tx) -> str:
            _demand_active(tx, id_)
            return deliveries.add(tx, id_, TEST)

        return await self._done(principal, work)

    async def replay(self, principal: Principal, id_: str, delivery: str) -> None:
        """Send an ended delivery again under its own id. Raises as `test` does."""

        def work(tx: Tx) -> None:
            _demand_active(tx, id_)
            if not deliveries.replay(tx, id_, delivery):
                raise NotFound(f"ended delivery {delivery}")
            _audit(tx, principal, "replayed", id_, delivery=delivery)

        await self._done(principal, work)

    async def replay_failed(
        self, principal: Principal, id_: str, since: datetime | None
    ) -> int:
        """Send everything that failed, or failed since a moment; return how many."""

        def work(tx: Tx) -> int:
            _demand_active(tx, id_)
            count = deliveries.replay_failed(tx, id_, since)
            _audit(tx, principal, "replayed", id_, count=count)
            return count

        return await self._done(principal, work)

    async def deliveries(
        self,
        tenant: str,
        id_: str,
        *,
        state: DeliveryState | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[DeliveryRow]:
        """Return deliveries, newest first. Raises `NotFound`."""

        def look(db: Connection) -> Sequence[DeliveryRow]:
            _known(db, tenant, id_)
            return deliveries.listed(db, tenant, id_, state=state, before=before, limit=limit)

        return await self._store.read(look)

    async def delivery(self, tenant: str, id_: str, delivery: str) -> Told:
        """Return one delivery with its attempts. Raises `NotFound`."""

        def look(db: Connection) -> Told:
            row = deliveries.get(db, tenant, id_, delivery)
            if row is None:
                raise NotFound(f"delivery {delivery}")
            event = deliveries.event_of(db, row)
            is_gone = event is None and row.seq is not None
            body = "" if is_gone else body_of(row, event).decode()
            return Told(row, deliveries.attempts(db, tenant, delivery), body)

        return await self._store.read(look)

    async def _done(self, principal: Principal, work: Callable[[Tx], T]) -> T:
        result = await self._store.transact(principal.tenant, work)
        self.sender.wake()
        return result

    def _check(self, url: str) -> None:
        try:
            check_url(url, self._private_hosts)
        except UrlRefused as error:
            fault = {"path": "url", "code": "refused", "text": str(error)}
            raise EndpointRefused(fields=(fault,)) from error

    async def _sweep(self, tenant: str) -> None:
        kept = timedelta(days=self._config.webhooks.keep_days)
        while True:
            gone = await self._store.transact(
                tenant, lambda tx: deliveries.sweep(tx, tx.now - kept)
            )
            if gone:
                log.info("deliveries_forgotten", extra={"tenant": tenant, "count": gone})
            await asyncio.sleep(1.0 if gone else SWEEP_EVERY_S)


def _known(connection: Connection, tenant: str, id_: str) -> SubscriptionRow:
    row = subscriptions.get(connection, tenant, id_)
    if row is None:
        raise NotFound(f"subscription {id_}")
    return row


def _demand_active(tx: Tx, id_: str) -> None:
    if _known(tx.connection, tx.tenant, id_).state != "active":
        raise SubscriptionDisabled(id_)


def _said(values: dict[str, object]) -> dict[str, object]:
    """Return what the audit trail keeps of a change."""
    return {key: one for key, one in values.items() if key in ("name", "url", "kinds", "state")}


def _audit(tx: Tx, principal: Principal, what: str, id_: str, **data: object) -> None:
    audit.record(
        tx.connection, tx.tenant, tx.now, actor=principal.by, what=f"subscription.{what}",
        object_=f"subscription:{id_}", data=data,
    )  # fmt: skip
