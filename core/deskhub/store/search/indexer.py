"""Follows every tenant's log and keeps the index up with it, off the messages' way to disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from deskhub.store import log as event_log
from deskhub.store.event import Event
from deskhub.store.follower import Follower
from deskhub.store.search import words
from deskhub.store.search.index import Found, Index, Part, Place
from deskhub.store.store import Store
from deskhub.store.tombstones import ERASED

log = logging.getLogger("deskhub.store")

PAGE = 500
# What is said can be found this much later: many messages then share one transaction.
PACE_S = 0.5
# An index that cannot be written is no reason to stop the chat.
AGAIN_S = 5.0

TEXTS = frozenset({"message.posted", "note.posted"})
# What was edited is found where it stands, by its new words only.
EDITS = {"message.edited": "message.posted", "note.edited": "note.posted"}


class Indexer(Follower):
    """Writes the index. Several processes take turns by place."""

    def __init__(
        self, store: Store, index: Index, *, pace_s: float = PACE_S, again_s: float = AGAIN_S
    ) -> None:
        """Read *store*'s log into *index*."""
        super().__init__(store, what="search_index", page=PAGE, pace_s=pace_s, again_s=again_s)
        self._index = index

    async def rebuild(self, tenant: str) -> int:
        """Forget *tenant*'s index and make it anew; return how far it is then."""
        epoch, _ = await self._store.read(lambda db: event_log.position(db, tenant))
        await self._index.wipe(tenant, epoch)
        return await self.catch_up(tenant)

    async def _begin(self, tenant: str) -> tuple[str, int]:
        """An index of another log, or of another format, is made anew."""
        epoch, head = await self._store.read(lambda db: event_log.position(db, tenant))
        known: Place | None = await self._index.place(tenant)
        if known is not None and known.epoch == epoch and known.seq <= head:
            return epoch, known.seq
        await self._index.wipe(tenant, epoch)
        log.info("search_index_begun", extra={"tenant": tenant, "events": head})
        return epoch, 0

    async def _take(self, tenant: str, epoch: str, after: int, events: Sequence[Event]) -> bool:
        part = await asyncio.to_thread(part_of, tenant, epoch, after, events)
        return await self._index.put(part)


def part_of(tenant: str, epoch: str, after: int, events: Sequence[Event]) -> Part:
    """Return what of *events* is to be found, and what no longer."""
    found = {one.seq: Found(one.seq, tokens_of(one)) for one in events if one.kind in TEXTS}
    for one in (one for one in events if one.kind in EDITS):
        of = int(msgspec.json.decode(one.data)["of"])
        found[of] = Found(of, tokens_of(one))
    return Part(
        tenant,
        epoch,
        after,
        events[-1].seq,
        list(found.values()),
        [words.key("c", one.conversation or "") for one in events if one.kind == ERASED],
    )


def tokens_of(event: Event) -> tuple[str, ...]:
    """Return what a message or note is found by: its words, and facts about it."""
    data: dict[str, Any] = msgspec.json.decode(event.data)
    kind = EDITS.get(event.kind, event.kind)
    return (
        *words.indexed(str(data.get("text", ""))),
        words.key("k", kind),
        words.key("r", event.by.partition(":")[0]),
        words.key("b", event.by),
        words.key("i", event.inbox or ""),
        words.key("c", event.conversation or ""),
        *words.of_person(str(data.get("name") or "")),
        *(words.mentions(str(data.get("text", ""))) if kind == "note.posted" else ()),
    )
