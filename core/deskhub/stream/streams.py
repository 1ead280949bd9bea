"""The realtime service of one process: opens sessions, wakes them, ends them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from deskhub.bus.port import Bus
from deskhub.chat.commands import ChatCommand
from deskhub.chat.model import TEXT_BYTES, Receipt
from deskhub.chat.service import Chat
from deskhub.clock import Clock, rfc3339
from deskhub.errors import NotFound, TooManyConnections
from deskhub.identity.model import Principal
from deskhub.ids import new_id
from deskhub.store import conversations
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.tombstones import ERASED
from deskhub.stream import cursor as cursors
from deskhub.stream import frames as f
from deskhub.stream.alarm import Alarm
from deskhub.stream.asides import Asides
from deskhub.stream.errors import BadCursor, Close, Draining
from deskhub.stream.feed import Feed
from deskhub.stream.figures import StreamFigures, outcome_of
from deskhub.stream.limits import Bucket, Limits, Senders
from deskhub.stream.neighbours import Aside, Neighbours, Revoked
from deskhub.stream.people import People
from deskhub.stream.presence import Presence, Seat
from deskhub.stream.pulse import Pulse
from deskhub.stream.readers import SLICE, Readers
from deskhub.stream.relay import Relay
from deskhub.stream.revocations import Revocations
from deskhub.stream.session import Session
from deskhub.stream.shedding import Shedding
from deskhub.stream.tokens import expires_at

# A pace at which other processes can take the connections of this one.
RECONNECTS_PER_S = 300
DRAIN_S = 2.0
_ENCODED_MAX = 64


class Streams:
    """Everybody who is connected to this process. Run `run` beside the store's."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        people: People,
        clock: Clock,
        *,
        bus: Bus | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Read from *store*, send commands to *chat*, ask *people* who somebody is."""
        self.limits = limits or Limits()
        self.monotonic = clock.monotonic
        self._store = store
        self._chat = chat
        self._people = people
        self._clock = clock
        self._relay = Relay(store, bus) if bus is not None else None
        self._senders = Senders(self.limits, clock.monotonic)
        self._sessions: dict[str, Session] = {}
        self.readers = Readers()
        self.presence = Presence(clock.monotonic, self._present, self._moved)
        self._alarm = Alarm(store, chat, clock)
        self._pulse = Pulse(self.limits, clock, people.still_valid)
        self._revocations = Revocations(self._sessions, people, clock.monotonic)
        self._neighbours = Neighbours(
            bus, self.presence, on_aside=self._hear_aside, on_revoked=self._revocations.heard
        )
        self.figures = StreamFigures()
        self.shedding = Shedding(store, self.figures)
        self._asides = Asides(
            store, self.readers, self.limits, clock.monotonic, self._neighbours.tell,
            self.shedding, self.presence.reached,
        )  # fmt: skip
        self._encoded: OrderedDict[tuple[str, str, int, int], str] = OrderedDict()
        self._here: list[Callable[[str], None]] = []
        self.is_draining = False

    # Sessions

    async def open(
        self,
        principal: Principal,
        cursor: str | None,
        client: f.Client | None = None,
        *,
        token: str | None = None,
    ) -> Session:
        """Return a session for *principal* that goes on from *cursor*.

        Its first frames are ``welcome`` and then what was missed, or ``reset``. *token* says
        when it must be renewed. Raises `TooManyConnections` and `Draining`. Whoever opens a
        session must `leave` it.
        """
        if self.is_draining:
            raise Draining("no new sessions", after_ms=2_000)
        visitor = principal.kind == "visitor"
        limit = self.limits.visitor_sockets if visitor else self.limits.agent_sockets
        if self.presence.count(principal) >= limit:
            raise TooManyConnections(principal.by, after_ms=10_000)
        # Counted before anything is awaited: 200 parallel handshakes stay under the limit.
        self.arrive(principal)
        try:
            session = await self._begin(principal, cursor, client or f.Client())
        except BaseException:
            self.presence.leave(principal, 0)
            raise
        session.expires_at = expires_at(token) if token else None
        self._sessions[session.sid] = session
        self.figures.open.add(principal.kind)
        self.readers.add(session)
        self._pulse.add(session)
        return session

    def leave(self, session: Session) -> None:
        """Forget *session*; its transport is gone."""
        if self._sessions.pop(session.sid, None) is not None:
            self.figures.open.add(session.principal.kind, count=-1)
            self.readers.remove(session)
            self._asides.left(session)
            self.presence.leave(session.principal)

    async def resume(
        self, feed: Feed, cursor: str | None
    ) -> tuple[int, list[Event] | None, str]:
        """Return (position, missed events, why): from *cursor* on, or why that is impossible.

        With events None the client must load the snapshot; *why* is ``epoch``, ``ahead``,
        ``too_far``, ``erased``, or empty when it has no cursor yet.
        """
        tenant = feed.principal.tenant
        await self._store.ensure(tenant)
        epoch, head = self.log_of(tenant)
        if cursor is None:
            return head, None, ""
        try:
            known, seq = cursors.read(cursor)
        except BadCursor:
            return head, None, "epoch"
        if known != epoch:
            return head, None, "epoch"
        if seq > head:
            # Another process may have told the client more than this one has read so far.
            await self._store.catch_up(tenant)
            head = self.log_of(tenant)[1]
        if seq > head:
            return head, None, "ahead"
        self.presence.reached.note(tenant, feed.principal.by, seq)
        missing = await feed.missing(seq, self.limits.resume_events, self.limits.resume_bytes)
        if missing is None:
            return self.log_of(tenant)[1], None, "too_far"
        if any(event.kind == ERASED for event in missing.events):
            return missing.head, None, "erased"
        return missing.head, list(missing.events), ""

    def feed(self, principal: Principal) -> Feed:
        """Return *principal*'s part of the log."""
        return Feed(self._store, principal)

    def cursor(self, tenant: str, seq: int | None = None) -> str:
        """Return the cursor of *seq*, or of the head."""
        epoch, head = self.log_of(tenant)
        return cursors.written(epoch, head if seq is None else seq)

    def arrive(self, principal: Principal) -> None:
        """Count *principal* as being there; whoever calls it must call ``presence.leave``."""
        self.presence.enter(principal, self._clock.now())

    # For other parts of the hub

    def push_panel(self, tenant: str, conversation: str, panel: dict[str, Any]) -> None:
        """Show *panel* to the agents who have *conversation* on their screen."""
        self._asides.panel(tenant, conversation, panel)

    def status_changed(self, tenant: str, agent: str, status: str) -> None:
        """Tell colleagues that *agent* is now ``online`` or ``away``."""
        by = f"agent:{agent}"
        online = self.presence.since(tenant, by) is not None
        self._asides.status(tenant, by, {"online": online, "status": status})
        if online and status == "online":
            self._say_here(tenant)

    def on_agent_here(self, listener: Callable[[str], None]) -> None:
        """Call *listener* with the tenant when one of its agents can take conversations."""
        self._here.append(listener)

    def is_here(self, tenant: str, by: str) -> bool:
        """Return whether somebody (``visitor:…``) is connected, to whichever process."""
        return self.presence.since(tenant, by) is not None

    def online(self, tenant: str) -> Sequence[str]:
        """Return who is connected: ``agent:…`` and ``visitor:…``."""
        return self.presence.online(tenant)

    def close_revoked(self, tenant: str, who: str) -> None:
        """End the sessions of *who* (an agent's or visitor's id) whose rights ended.

        For `Identity.on_revoked`: no process need wait for its next check.
        """
        self._revocations.suspect(tenant, who)
        self._neighbours.tell(tenant, Revoked(who))

    async def agent_name(self, principal: Principal, agent: str | None) -> str | None:
        """Return the display name of an agent who is to get a conversation.

        Raises `NotFound` when the tenant has no such active agent.
        """
        if agent is None or principal.by == f"agent:{agent}":
            return principal.name if agent else None
        for colleague in await self._people.agents(principal.tenant):
            if colleague.id == agent:
                return colleague.name
        raise NotFound(f"agent {agent}")

    async def seats(self, tenant: str, inbox: str) -> Sequence[Seat]:
        """Return the agents of *inbox* who are connected and not away, with their load."""
        agents = [
            agent
            for agent in await self._people.agents(tenant)
            if agent.status == "online"
            and (agent.inboxes is None or inbox in agent.inboxes)
            and self.presence.since(tenant, f"agent:{agent.id}") is not None
        ]
        loads = await self._store.read(lambda db: conversations.loads(db, tenant))
        seats = []
        for agent in agents:
            load, last = loads.get(agent.id, (0, None))
            since = self.presence.since(tenant, f"agent:{agent.id}") or self._clock.now()
            seats.append(Seat(agent.id, load, agent.capacity, max(since, last or since)))
        return seats

    async def waiting(self, tenant: str, inbox: str) -> Sequence[str]:
        """Return the open conversations of *inbox* that nobody has, longest waiting first."""
        return await self._store.read(lambda db: conversations.waiting(db, tenant, inbox))

    @property
    def size(self) -> int:
        """Return how many sessions are open."""
        return len(self._sessions)

    # Life

    async def run(self) -> None:
        """Wake, check and end sessions until cancelled."""
        unlisten = self._store.tail.listen(self._committed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.readers.run(), name="wake")
                group.create_task(self._alarm.run(), name="alarm")
                if self._relay is not None:
                    group.create_task(self._relay.run(), name="relay")
                group.create_task(self._neighbours.run(), name="neighbours")
                group.create_task(self._tick(), name="pulse")
                group.create_task(self._revocations.run(), name="revocations")
        finally:
            unlisten()

    async def drain(self, grace_s: float = DRAIN_S) -> None:
        """Ask every client to go elsewhere, finish what is in flight, then close with 1012.

        Ends within *grace_s* and a moment; new sessions are refused from now on.
        """
        self.is_draining = True
        high = max(1_000, len(self._sessions) * 1_000 // RECONNECTS_PER_S)
        frame = f.plain({"t": "drain", "window_ms": [0, high]})
        await self._each_session(lambda session: session.reply(frame))
        self.readers.wake_all()
        deadline = self.monotonic() + grace_s
        while self.monotonic() < deadline and self._in_flight():  # noqa: ASYNC110  a look is enough
            await asyncio.sleep(0.02)
        await self._each_session(lambda session: session.close(Close.RESTART))

    # What sessions need of their home

    def log_of(self, tenant: str) -> tuple[str, int]:
        """Return (epoch, head) of the tenant's log."""
        return self._store.tail.epoch(tenant), self._store.tail.head(tenant)

    def submit(
        self, principal: Principal, command: ChatCommand, cid: str
    ) -> asyncio.Future[Receipt]:
        """Queue a command."""
        return self._chat.submit(principal, command, cid=cid)

    def sends_of(self, principal: Principal) -> Bucket:
        """Return the bucket that counts what *principal* sends on all connections."""
        return self._senders.bucket(principal.tenant, principal.by)

    def encoded(self, feed: Feed, start: int, end: int, items: Sequence[Event]) -> str:
        """Return the events frame of (start, end], made once for all who see the same."""
        tenant = feed.principal.tenant
        epoch, _ = self.log_of(tenant)
        key = (tenant, epoch, start, end)
        known = self._encoded.get(key) if feed.sees_all else None
        if known is not None:
            return known
        frame = f.events(cursors.written(epoch, start), cursors.written(epoch, end), items)
        if feed.sees_all:
            self._encoded[key] = frame
            if len(self._encoded) > _ENCODED_MAX:
                self._encoded.popitem(last=False)
        return frame

    async def authenticate(self, token: str) -> Principal:
        """Return who holds *token*. Raises `Unauthenticated`."""
        return await self._people.authenticate(token)

    async def aside(self, session: Session, frame: f.Typing | f.Open | f.Ack) -> None:
        """Handle what makes no event."""
        await self._asides.handle(session, frame)

    # Private

    def _committed(self, tenant: str, events: Sequence[Event], after: int) -> None:
        if any(event.kind == ERASED for event in events):
            self._encoded.clear()
        self.readers.committed(tenant, events, after)

    async def _begin(
        self, principal: Principal, cursor: str | None, client: f.Client
    ) -> Session:
        feed = self.feed(principal)
        position, events, why = await self.resume(feed, cursor)
        session = Session(self, new_id("w"), feed, client, position)
        self.figures.resumes.add("socket", outcome_of(events, why))
        if events is None:
            where = self.cursor(principal.tenant, position)
            session.reply(self._welcome(session, where, "snapshot"))
            if why:
                session.reply(f.plain({"t": "reset", "cursor": where, "why": why}))
            return session
        session.reply(self._welcome(session, cursor or "", "resumed"))
        start = cursors.read(cursor or "")[1]
        if position > start:
            session.reply(self.encoded(feed, start, position, events))
        return session

    def _welcome(self, session: Session, cursor: str, mode: str) -> str:
        limits = self.limits
        visitor = session.principal.kind == "visitor"
        sends = limits.visitor_sends if visitor else limits.agent_sends
        return f.plain(
            {
                "t": "welcome",
                "v": f.VERSION,
                "sid": session.sid,
                "now": rfc3339(self._clock.now()),
                "heartbeat_s": int(limits.heartbeat_s),
                "limits": {
                    "frame_bytes": limits.frame_bytes,
                    "text_bytes": TEXT_BYTES,
                    "in_flight": limits.in_flight,
                    "sends_per_s": sends.per_s,
                    "sends_burst": sends.burst,
                },
                "cursor": cursor,
                "mode": mode,
            }
        )

    def _hear_aside(self, tenant: str, aside: Aside) -> None:
        self._asides.hear(tenant, aside)

    def _moved(self, tenant: str, by: str) -> None:
        self._neighbours.moved(tenant, by)

    def _present(self, tenant: str, by: str, *, online: bool, here: bool) -> None:
        self._asides.presence(tenant, by, online=online)
        if online and here and by.startswith("agent:"):
            self._say_here(tenant)

    def _say_here(self, tenant: str) -> None:
        for listener in self._here:
            listener(tenant)

    def _in_flight(self) -> bool:
        return any(session.in_flight for session in self._sessions.values())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.presence.tick()
            await self._pulse.tick(self._sessions.get)

    async def _each_session(self, do: Callable[[Session], None]) -> None:
        for index, session in enumerate(list(self._sessions.values()), 1):
            do(session)
            if index % SLICE == 0:
                await asyncio.sleep(0)
