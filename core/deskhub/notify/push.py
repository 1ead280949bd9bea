"""Web push: what the hub runs beside the chat, and what routes ask of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Literal

from deskhub.clock import Clock
from deskhub.config import Config
from deskhub.errors import NotFound
from deskhub.figures import Tally
from deskhub.host.patience import patiently
from deskhub.host.turns import Turns
from deskhub.identity.model import Principal
from deskhub.notify.caller import FIRST_PAUSE_S, AgentsOf, Caller
from deskhub.notify.calls import Calls
from deskhub.notify.endpoint import checked_endpoint, checked_keys, device_id
from deskhub.notify.errors import PushOff
from deskhub.notify.notices import HasReached, Notices
from deskhub.notify.service import PushService
from deskhub.notify.vapid import Vapid, open_vapid
from deskhub.notify.words import language_of
from deskhub.store import pushes
from deskhub.store.pushes import Device
from deskhub.store.store import Store

# After a start everybody seems away until they have dialled again.
SETTLE_S = 10.0

Tested = Literal["sent", "gone", "failed"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser says about itself, not checked yet."""

    endpoint: str
    p256dh: str
    auth: str
    language: str | None = None


class Push:
    """Everything about web push in one process. One `run` for the process."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        has_reached: HasReached,
        agents: AgentsOf,
        *,
        turns: Turns | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        """Do as ``[push]`` of *config* says; unless it is enabled, nothing is made or noted.

        Raises `ExtraMissing` and `KeysUnsafe`.
        """
        self._config = config
        self._settings = config.push
        self._store = store
        self._clock = clock
        self._turns = turns or Turns(store)
        self._settle_s = min(settle_s, self._settings.grace)
        self._notices = Notices(config, has_reached)
        self._vapid: Vapid | None = None
        self._caller: Caller | None = None
        self._service: PushService | None = None
        if self._settings.enabled:
            self._vapid = open_vapid(config.data_dir, self._settings.contact or config.hub.url)
            self._service = PushService(self._settings, self._vapid, clock)
            self._caller = Caller(
                store, clock, self._service, self._notices, agents, first_pause_s=first_pause_s
            )

    @property
    def is_on(self) -> bool:
        """Return whether hub.toml enables web push."""
        return self._settings.enabled

    @property
    def key(self) -> str | None:
        """Return the public key that browsers subscribe to, or None."""
        return self._vapid.public if self._vapid else None

    @property
    def ended(self) -> Tally:
        """Return how notices ended in this process."""
        return self._caller.ended if self._caller else Tally()

    async def run(self) -> None:
        """Note and send until cancelled; of several processes one at a time for a tenant."""
        caller = self._caller
        if caller is None or self._service is None:
            await asyncio.Event().wait()
            return
        calls = Calls(self._store, self._settings.grace, caller.wake)
        try:
            async with asyncio.TaskGroup() as group:
                for tenant in self._config.tenants:
                    follow = partial(patiently, "push", partial(calls.follow, tenant))
                    send = partial(patiently, "push", partial(self._send, caller, tenant))
                    group.create_task(
                        self._turns.while_mine(tenant, "push-calls", follow),
                        name=f"push-calls:{tenant}",
                    )
                    group.create_task(
                        self._turns.while_mine(tenant, "push", send), name=f"push:{tenant}"
                    )
        finally:
            await self._service.close()

    async def subscribe(self, principal: Principal, wanted: Subscription) -> Device:
        """Tell the browser that *wanted* describes what concerns *principal*; return it.

        Whoever used the same browser before is not told there any more. Raises `PushOff` and
        `PushEndpointRefused`.
        """
        self._demand()
        endpoint = checked_endpoint(wanted.endpoint, self._settings.services)
        p256dh, auth = checked_keys(wanted.p256dh, wanted.auth)
        device = Device(
            principal.tenant, device_id(endpoint), principal.by, endpoint, p256dh, auth,
            language_of(wanted.language), self._clock.now(),
        )  # fmt: skip
        await self._store.transact(principal.tenant, lambda tx: pushes.keep(tx, device))
        return device

    async def devices(self, principal: Principal) -> int:
        """Return in how many browsers *principal* is told."""
        found = await self._store.read(
            lambda db: pushes.devices(db, principal.tenant, principal.by)
        )
        return len(found)

    async def unsubscribe(self, principal: Principal, device: str) -> None:
        """Forget a browser of *principal*. Raises `NotFound`."""
        await self._own(principal, device)
        await self._store.transact(principal.tenant, lambda tx: pushes.forget(tx, device))

    async def test(self, principal: Principal, device: str) -> Tested:
        """Send a notice to a browser of *principal* now. Raises `PushOff` and `NotFound`."""
        self._demand()
        found = await self._own(principal, device)
        if self._caller is None:
            raise PushOff
        outcome = await self._caller.test(self._notices.test(found))
        if outcome.verdict in ("sent", "gone"):
            return "sent" if outcome.verdict == "sent" else "gone"
        return "failed"

    async def _own(self, principal: Principal, device: str) -> Device:
        """Return a browser of *principal*; somebody else's does not exist."""
        found = await self._store.read(lambda db: pushes.device(db, principal.tenant, device))
        if found is None or found.owner != principal.by:
            raise NotFound(f"device {device}")
        return found

    async def _send(self, caller: Caller, tenant: str) -> None:
        await asyncio.sleep(self._settle_s)
        await caller.work(tenant)

    def _demand(self) -> None:
        if not self.is_on:
            raise PushOff
