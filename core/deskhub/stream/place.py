"""A client's place in the log: how far it is, and the frames that bring it further."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deskhub.store.event import Event
from deskhub.store.tombstones import ERASED
from deskhub.stream import cursor as cursors
from deskhub.stream import frames as f
from deskhub.stream.feed import Feed
from deskhub.stream.figures import StreamFigures

FRAME_EVENTS = 500
# A client this far behind after its socket was blocked is told how much is still to come.
LAG_EVENTS = 100


class Logs(Protocol):
    """Where logs stand, and frames that several readers share."""

    figures: StreamFigures

    def log_of(self, tenant: str) -> tuple[str, int]:
        """Return (epoch, head) of the tenant's log."""
        ...

    def encoded(self, feed: Feed, start: int, end: int, items: Sequence[Event]) -> str:
        """Return the events frame of (start, end], made once for all who see the same."""
        ...


class Place:
    """How far one client is. It keeps no events: what is missing is read when it is sent."""

    def __init__(self, logs: Logs, feed: Feed, position: int) -> None:
        """Be at seq *position*, with everything after it to be looked at."""
        self._logs = logs
        self.feed = feed
        self.is_behind = True
        self._position = position
        # Between the position and here nothing concerns this reader.
        self._clear_to = position
        self._epoch, _ = logs.log_of(feed.principal.tenant)
        self._was_blocked = False

    def behind(self, after: int) -> None:
        """Note that there are events after seq *after* that may concern this reader.

        Everything up to *after* was already sent or does not concern it.
        """
        if not self.is_behind:
            self.is_behind = True
            self._clear_to = max(self._clear_to, after)

    def blocked(self) -> None:
        """Note that the transport could not send for a while."""
        self._was_blocked = True

    def advance(self) -> str | None:
        """Return a frame that moves the client's cursor to the head, if nothing concerned it.

        A cursor that stays far behind makes the next resume expensive.
        """
        epoch, head = self._logs.log_of(self.feed.principal.tenant)
        start = self._position
        if self.is_behind or epoch != self._epoch or start >= head:
            return None
        self._position = self._clear_to = head
        return f.events(cursors.written(epoch, start), cursors.written(epoch, head), ())

    def from_memory(self) -> list[str] | None:
        """Return frames for the next part of what is missing, and move on.

        None when memory does not reach back that far.
        """
        epoch, head = self._logs.log_of(self.feed.principal.tenant)
        if epoch != self._epoch:
            return [self._reset(epoch, head, "epoch")]
        start = max(self._position, self._clear_to)
        found = self.feed.recent(start)
        if found is None:
            return None
        end = head
        if len(found) > FRAME_EVENTS:
            found = found[:FRAME_EVENTS]
            end = found[-1].seq
        else:
            self.is_behind = False
        return self._told(found, start, end)

    async def from_log(self) -> list[str]:
        """Return frames for the next part of what is missing; raises `StoreDown`."""
        tenant = self.feed.principal.tenant
        start = max(self._position, self._clear_to)
        head = self._logs.log_of(tenant)[1]
        raw = await self.feed.page(start, FRAME_EVENTS)
        self.is_behind = len(raw) == FRAME_EVENTS or self._logs.log_of(tenant)[1] > head
        last = raw[-1].seq if raw else 0
        end = last if len(raw) == FRAME_EVENTS else max(head, last)
        return self._told([event for event in raw if self.feed.sees(event)], start, end)

    def _told(self, found: Sequence[Event], start: int, end: int) -> list[str]:
        """Return frames with the events *found* in (start, end]."""
        head = self._logs.log_of(self.feed.principal.tenant)[1]
        erased = [event.seq for event in found if event.kind == ERASED]
        if erased:
            # What the client holds from before is to be dropped, not added to.
            return [self._reset(self._epoch, max(head, erased[-1]), "erased")]
        told = []
        if self._was_blocked and head - start > LAG_EVENTS:
            told.append(f.plain({"t": "lag", "head": head}))
            self._logs.figures.lags.add()
        self._was_blocked = False
        self._clear_to = end
        if found:
            told.append(self._logs.encoded(self.feed, self._position, end, found))
            self._position = end
        return told

    def _reset(self, epoch: str, head: int, why: str) -> str:
        self._epoch, self._position, self._clear_to = epoch, head, head
        self.is_behind = False
        where = cursors.written(epoch, head)
        return f.plain({"t": "reset", "cursor": where, "why": why})
