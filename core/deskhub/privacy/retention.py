"""How long anything is kept: what is older than hub.toml allows is forgotten, bit by bit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deskhub.clock import Clock, rfc3339
from deskhub.config import Config
from deskhub.errors import HubError
from deskhub.files.files import Files
from deskhub.privacy.eraser import Eraser
from deskhub.store import erased
from deskhub.store import files as file_rows
from deskhub.store.store import Store
from deskhub.store.tx import Connection

log = logging.getLogger("deskhub.privacy")

# Between two batches other work has its turn; after the last one an hour is soon enough.
PAUSE_S = 1.0
EVERY_S = 3600.0
# A preview counts no further.
PREVIEW_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Due:
    """What of one tenant is older than it may be."""

    tenant: str
    conversations: Sequence[str]
    files: Sequence[str]

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to do."""
        return not self.conversations and not self.files


class Retention:
    """Keeps to ``[retention]``; without it, keeps everything."""

    def __init__(
        self, config: Config, store: Store, clock: Clock, eraser: Eraser, files: Files
    ) -> None:
        """Forget with *eraser* and *files* what *config* no longer allows to be kept."""
        self._config = config
        self._store = store
        self._clock = clock
        self._eraser = eraser
        self._files = files

    async def run(self) -> None:
        """Look every hour, one batch after the other while there is more, until cancelled."""
        while True:
            worked = 0
            try:
                worked = await self.batch()
            except HubError as error:
                log.warning("retention_postponed", extra={"code": error.code})
            await asyncio.sleep(PAUSE_S if worked else EVERY_S)

    async def batch(self) -> int:
        """Forget at most ``batch`` conversations and files of each tenant; return how many."""
        done = 0
        now, settings = self._clock.now(), self._config.retention
        for tenant in self._config.tenants:
            part = await self._store.read(
                lambda db, tenant=tenant: due(db, self._config, tenant, now, settings.batch)  # type: ignore[misc]  # a default keeps the loop's value
            )
            for conversation in part.conversations:
                await self._files.erase(tenant, [conversation])
                await self._eraser.conversation(tenant, conversation, "system", "retention")
            files = 0
            if settings.files_days is not None:
                before = now - timedelta(days=settings.files_days)
                files = await self._files.age(tenant, before, settings.batch)
            if part.conversations or files:
                counts = {"conversations": len(part.conversations), "files": files}
                log.info("retention_applied", extra={"tenant": tenant, **counts})
            done += len(part.conversations) + files
        if done:
            await self._store.scrub()
        return done


def due(connection: Connection, config: Config, tenant: str, now: datetime, limit: int) -> Due:
    """Return what of *tenant* is to be forgotten at *now*, at most *limit* of each kind."""
    settings = config.retention
    conversations: Sequence[str] = ()
    files: Sequence[str] = ()
    if settings.closed_conversations_days is not None:
        before = now - timedelta(days=settings.closed_conversations_days)
        conversations = erased.candidates(connection, tenant, before, limit)
    if settings.files_days is not None:
        before = now - timedelta(days=settings.files_days)
        files = file_rows.sent_before(connection, tenant, before, limit)
    return Due(tenant, conversations, files)


async def preview(
    config: Config,
    now: datetime,
    read: Callable[[Callable[[Connection], Due]], Any],
) -> dict[str, Any]:
    """Return what a run at *now* would forget, by tenant, without changing anything."""
    settings = config.retention
    found = {}
    for tenant in config.tenants:
        part: Due = await read(
            lambda db, tenant=tenant: due(db, config, tenant, now, PREVIEW_MAX)  # type: ignore[misc]  # a default keeps the loop's value
        )
        found[tenant] = {"conversations": len(part.conversations), "files": len(part.files)}
    return {
        "at": rfc3339(now),
        "closed_conversations_days": settings.closed_conversations_days,
        "files_days": settings.files_days,
        "tenants": found,
    }
