"""The long poll: the same events and the same cursor for clients that get no socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from deskhub.errors import Unauthenticated
from deskhub.identity.model import Principal, system
from deskhub.store.event import Event
from deskhub.store.sabotage import sabotaged
from deskhub.stream.errors import Draining
from deskhub.stream.feed import Feed
from deskhub.stream.frames import plain
from deskhub.stream.people import Authority
from deskhub.stream.presence import POLL_GRACE_S
from deskhub.stream.streams import Streams

WAIT_MAX_S = 25.0
# How long a poll of somebody whose rights ended may still wait.
RECHECK_S = 2.0


class _Poll:
    """One waiting request, as a reader."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.changed = asyncio.Event()
        self.is_over = False

    def behind(self, after: int) -> None:
        """Nothing to keep: the client's cursor says all."""

    def wake(self) -> None:
        """Look again."""
        self.changed.set()

    flush = wake


class Polls:
    """Long polls of one process."""

    def __init__(self, streams: Streams, people: Authority) -> None:
        """Share readers and presence with *streams*."""
        self._streams = streams
        self._people = people
        self._waiting: dict[tuple[str, str], list[tuple[str | None, _Poll]]] = {}

    async def poll(
        self, principal: Principal, cursor: str | None, wait_s: float, sid: str | None = None
    ) -> bytes:
        """Return what lies after *cursor* as JSON, after waiting up to *wait_s* for something.

        ``{from, to, events, cursor}``, or ``{reset, cursor}`` when the snapshot must be
        loaded. Asking again with the old cursor gives the same events. A newer poll with the
        same *sid* ends the older at once. Raises `Draining` and `Unauthenticated`.
        """
        streams = self._streams
        if streams.is_draining:
            raise Draining("no new polls", after_ms=2_000)
        poll = _Poll(principal)
        key = (principal.tenant, principal.by)
        self._enter(key, sid, poll)
        streams.figures.polls.add(principal.kind)
        streams.arrive(principal)
        streams.readers.add(poll)
        try:
            return await self._answer(poll, cursor, min(max(wait_s, 0.0), WAIT_MAX_S))
        finally:
            streams.figures.polls.add(principal.kind, count=-1)
            streams.readers.remove(poll)
            streams.presence.leave(principal, POLL_GRACE_S)
            self._leave(key, sid, poll)

    async def _answer(self, poll: _Poll, cursor: str | None, wait_s: float) -> bytes:
        streams, principal = self._streams, poll.principal
        feed = _feed(streams, principal)
        deadline = streams.monotonic() + wait_s
        if cursor is None:
            position, _, _ = await streams.resume(feed, None)
            where = streams.cursor(principal.tenant, position)
            return _events(where, where, ())
        while True:
            poll.changed.clear()
            position, events, why = await streams.resume(feed, cursor)
            where = streams.cursor(principal.tenant, position)
            if events is None:
                streams.figures.resumes.add("poll", why)
                return plain({"reset": why, "cursor": where}).encode()
            left = deadline - streams.monotonic()
            if events or left <= 0 or poll.is_over or streams.is_draining:
                streams.figures.resumes.add("poll", "resumed")
                return _events(cursor, where, events)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, RECHECK_S)):
                    await poll.changed.wait()
            if not await self._people.still_valid(principal):
                raise Unauthenticated("the session ended")

    def _enter(self, key: tuple[str, str], sid: str | None, poll: _Poll) -> None:
        waiting = self._waiting.setdefault(key, [])
        limits = self._streams.limits
        visitor = poll.principal.kind == "visitor"
        most = limits.visitor_sockets if visitor else limits.agent_sockets
        replaced = [one for known, one in waiting if sid is not None and known == sid]
        if len(waiting) - len(replaced) >= most:
            replaced.append(waiting[0][1])
        for older in replaced:
            older.is_over = True
            older.wake()
        waiting.append((sid, poll))

    def _leave(self, key: tuple[str, str], sid: str | None, poll: _Poll) -> None:
        waiting = self._waiting[key]
        waiting.remove((sid, poll))
        if not waiting:
            del self._waiting[key]


def _feed(streams: Streams, principal: Principal) -> Feed:
    if sabotaged("skip_acl_on_poll"):
        return streams.feed(system(principal.tenant, "sabotage"))
    return streams.feed(principal)


def _events(start: str, end: str, events: Sequence[Event]) -> bytes:
    joined = b",".join([event.encoded for event in events])
    return b'{"from":"%s","to":"%s","events":[%s],"cursor":"%s"}' % (
        start.encode(),
        end.encode(),
        joined,
        end.encode(),
    )
