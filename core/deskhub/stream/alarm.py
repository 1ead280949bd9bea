"""Wakes snoozed conversations when their time has come."""

from __future__ import annotations

import asyncio
import logging

from deskhub.chat.commands import Wake
from deskhub.chat.service import Chat
from deskhub.clock import Clock
from deskhub.errors import HubError
from deskhub.identity.model import system
from deskhub.store import conversations
from deskhub.store.store import Store

log = logging.getLogger("deskhub.stream")

EVERY_S = 5.0


class Alarm:
    """Looks for due conversations every few seconds; the database remembers them."""

    def __init__(self, store: Store, chat: Chat, clock: Clock) -> None:
        """Send `Wake` commands to *chat*."""
        self._store = store
        self._chat = chat
        self._clock = clock

    async def run(self) -> None:
        """Wake what is due until cancelled."""
        while True:
            try:
                await self.ring()
            except HubError as error:
                log.warning("alarm_failed", extra={"code": error.code})
            await asyncio.sleep(EVERY_S)

    async def ring(self) -> None:
        """Wake every conversation that is due now.

        The cid says for which moment, so that two processes wake a conversation once.
        """
        now = self._clock.now()
        for tenant, conversation, until in await self._store.read(
            lambda db: conversations.due(db, now)
        ):
            cid = f"wake-{conversation[-32:]}-{int(until.timestamp())}"
            await self._chat.do(system(tenant, "alarm"), Wake(conversation), cid=cid)
