"""Mail to customers: what the hub runs beside the chat, and what routes ask of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from deskhub.clock import Clock
from deskhub.config import Config
from deskhub.errors import NotFound, RateLimited
from deskhub.figures import Tally
from deskhub.host.patience import patiently
from deskhub.host.turns import Turns
from deskhub.identity.keys import KeyTable
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.notify.address import checked, masked
from deskhub.notify.answers import Answers
from deskhub.notify.errors import MailNoAddress, MailOff
from deskhub.notify.letters import Letters, address_of
from deskhub.notify.outbox import FIRST_PAUSE_S
from deskhub.notify.sender import IsHere, Sender
from deskhub.notify.smtp import smtp_server
from deskhub.notify.stop import StopLinks
from deskhub.store import mails
from deskhub.store.mails import MailRow
from deskhub.store.store import Store
from deskhub.store.surroundings import around
from deskhub.store.tx import Connection, Tx

# Nobody reads more copies of one conversation in a day.
TRANSCRIPTS_A_DAY = 5
# After a start everybody is away until they have dialled again.
SETTLE_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether mail is sent at all, and where answers to a visitor go, masked.

    *vouched* says whether somebody else than the visitor knows the address.
    """

    is_on: bool
    to: str | None = None
    vouched: bool = False


class Mail:
    """Everything about mail in one process. One `run` for the process."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        keys: KeyTable,
        is_here: IsHere,
        *,
        turns: Turns | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        """Do as ``[mail]`` of *config* says; without a server nothing is sent or noted."""
        self._config = config
        self._settings = config.mail
        self._store = store
        self._clock = clock
        self._turns = turns or Turns(store)
        self._settle_s = min(settle_s, self._settings.grace)
        self.links = StopLinks(keys)
        letters = Letters(config, self.links)
        self.sender = Sender(
            store, clock, smtp_server(self._settings), letters, is_here,
            grace_s=self._settings.grace, first_pause_s=first_pause_s,
        )  # fmt: skip
        self._answers = Answers(store, self._settings.grace, self.sender.wake)

    @property
    def is_on(self) -> bool:
        """Return whether hub.toml names a mail server."""
        return self._settings.server is not None

    @property
    def ended(self) -> Tally:
        """Return how mails ended in this process, by (kind, outcome)."""
        return self.sender.ended

    async def run(self) -> None:
        """Note and send until cancelled; of several processes one at a time for a tenant."""
        if not self.is_on:
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            for tenant in self._config.tenants:
                follow = partial(patiently, "mail", partial(self._answers.follow, tenant))
                send = partial(patiently, "mail", partial(self._send, tenant))
                if self._settings.answers:
                    group.create_task(
                        self._turns.while_mine(tenant, "mail-answers", follow),
                        name=f"mail-answers:{tenant}",
                    )
                group.create_task(
                    self._turns.while_mine(tenant, "mail", send), name=f"mail:{tenant}"
                )

    async def transcript(self, principal: Principal, conversation: str) -> MailRow:
        """Ask for all that was said to be mailed to the customer; return the mail.

        A visitor gets it only at an address that somebody vouches for: else anybody could
        have texts of their own mailed to anybody. Raises `MailOff`, `MailNoAddress`,
        `NotFound`, `Forbidden` and `RateLimited`.
        """

        def work(tx: Tx) -> MailRow:
            found = around(tx.connection, principal.tenant, conversation)
            if found is None:
                raise NotFound(f"conversation {conversation}")
            talk = found.conversation
            scope = Scope(talk.tenant, talk.inbox, talk.visitor)
            authorize(principal, Permission.MESSAGE_POST, scope)
            # Only now: whether it exists is told to nobody by another refusal.
            self._demand()
            vouched = principal.kind == "visitor"
            address = address_of(tx.connection, found, vouched=vouched)
            if address is None:
                raise MailNoAddress(conversation)
            _within_bounds(tx, conversation)
            return mails.request_transcript(tx, conversation, address, talk.last_seq)

        row = await self._store.transact(principal.tenant, work)
        self.sender.wake()
        return row

    async def reach(self, principal: Principal, conversation: str | None) -> Reach:
        """Return where answers to the visitor *principal* go while they are away."""
        if not self.is_on:
            return Reach(is_on=False)

        def look(db: Connection) -> Reach:
            found = around(db, principal.tenant, conversation) if conversation else None
            known = address_of(db, found, vouched=True) if found else None
            left = known or mails.contact(db, principal.tenant, principal.id)
            to = masked(left) if left else None
            return Reach(is_on=True, to=to, vouched=known is not None)

        return await self._store.read(look)

    async def leave_contact(self, principal: Principal, address: str | None) -> None:
        """Keep where the visitor *principal* wants answers; None forgets it.

        Raises `MailOff` and `MailAddressRefused`.
        """
        self._demand()
        wanted = checked(address) if address is not None else None
        await self._store.transact(
            principal.tenant, lambda tx: mails.leave_contact(tx, principal.id, wanted)
        )

    async def listed(self, tenant: str, states: Sequence[str]) -> Sequence[MailRow]:
        """Return *tenant*'s mails in *states*, newest first."""
        return await self._store.read(lambda db: mails.listed(db, tenant, states))

    async def again(self, tenant: str, mail: str) -> None:
        """Send a dead mail after all. Raises `NotFound`."""
        if not await self._store.transact(tenant, lambda tx: mails.again(tx, mail)):
            raise NotFound(f"mail {mail}")
        self.sender.wake()

    async def drop(self, tenant: str, mail: str) -> None:
        """Forget a mail that has not left. Raises `NotFound`."""
        if not await self._store.transact(tenant, lambda tx: mails.drop(tx, mail)):
            raise NotFound(f"mail {mail}")

    async def is_stopped(self, tenant: str, address: str) -> bool:
        """Return whether the reader of *address* wants no answers by mail."""
        return await self._store.read(lambda db: mails.is_stopped(db, tenant, address))

    async def stop(self, tenant: str, address: str, *, is_wanted: bool) -> None:
        """Send *address* no answers any more, or again."""
        await self._store.transact(
            tenant, lambda tx: mails.stop(tx, address, is_wanted=is_wanted)
        )

    async def _send(self, tenant: str) -> None:
        await asyncio.sleep(self._settle_s)
        await self.sender.work(tenant)

    def _demand(self) -> None:
        if not self.is_on:
            raise MailOff


def _within_bounds(tx: Tx, conversation: str) -> None:
    since: datetime = tx.now - timedelta(days=1)
    asked = mails.transcripts_since(tx.connection, tx.tenant, conversation, since)
    if asked >= TRANSCRIPTS_A_DAY:
        raise RateLimited("transcripts", after_ms=3_600_000)
