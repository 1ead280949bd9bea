"""What happens beside the log: typing, who looks at what, what was delivered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from deskhub.errors import NotFound
from deskhub.identity.policy import Permission, Scope, authorize
from deskhub.store import log as event_log
from deskhub.store.store import Store
from deskhub.store.tx import Connection
from deskhub.stream import frames as f
from deskhub.stream.limits import Limits
from deskhub.stream.neighbours import Aside
from deskhub.stream.reached import Reached
from deskhub.stream.readers import Readers
from deskhub.stream.session import Session
from deskhub.stream.shedding import Shedding

K = TypeVar("K")
V = TypeVar("V")

SCOPES_MAX = 20_000
TYPING_TTL_S = 6
ACK_EVENTS = 200


class Asides:
    """Ephemeral frames of one process, and who may get them."""

    def __init__(
        self,
        store: Store,
        readers: Readers,
        limits: Limits,
        monotonic: Callable[[], float],
        tell: Callable[[str, Aside], None],
        shedding: Shedding,
        reached: Reached,
    ) -> None:
        """Find sessions through *readers*; *tell* other processes about theirs."""
        self._reached = reached
        self._tell = tell
        self._shedding = shedding
        self._store = store
        self._readers = readers
        self._limits = limits
        self._monotonic = monotonic
        self._scopes: OrderedDict[tuple[str, str], Scope] = OrderedDict()
        self._typed: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._delivered: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._looking: dict[tuple[str, str], set[Session]] = {}

    async def handle(self, session: Session, frame: f.Typing | f.Open | f.Ack) -> None:
        """Do what *frame* of *session* asks for. Raises `NotFound`, `Forbidden`."""
        match frame:
            case f.Typing():
                await self._typing(session, frame)
            case f.Open():
                await self._open(session, frame)
            case f.Ack():
                self.acknowledged(session, frame.seq)

    def left(self, session: Session) -> None:
        """Forget what *session* looked at."""
        if session.on_screen is not None:
            self._look_away(session)

    def panel(self, tenant: str, conversation: str, panel: dict[str, Any]) -> None:
        """Send *panel* to the agents who have *conversation* on their screen."""
        by = f"adapter:{panel.get('instance', '')}"
        self._spread(tenant, Aside("panel", "looking", by, panel, conversation, ttl_s=60))

    def status(self, tenant: str, who: str, data: dict[str, Any]) -> None:
        """Tell the tenant's agents, wherever they are, that *who* changed."""
        self._spread(tenant, _presence(who, data))

    def presence(self, tenant: str, who: str, *, online: bool) -> None:
        """Tell the agents of this process that *who* came or went; each process sees it."""
        if not self._shedding.leaves_out("presence"):
            self._deliver(tenant, _presence(who, {"online": online}))

    def hear(self, tenant: str, aside: Aside) -> None:
        """Pass on what another process tells."""
        self._deliver(tenant, aside)
        if aside.kind == "delivered":
            self._reached.note(tenant, aside.by, int(aside.data.get("seq", 0)))
        if aside.kind == "viewing" and aside.echo:
            for session in self._looking.get((tenant, aside.conversation or ""), ()):
                # Whoever begins to look learns who else does; whoever stops in one window
                # may still look in another.
                if (session.principal.by != aside.by) == bool(aside.data.get("on")):
                    self._spread(tenant, _viewing(session, aside.conversation or "", on=True))

    async def _typing(self, session: Session, frame: f.Typing) -> None:
        principal = session.principal
        scope = await self._scope(principal.tenant, frame.conversation)
        authorize(principal, Permission.MESSAGE_POST, scope)
        key = (principal.by, frame.conversation)
        now = self._monotonic()
        # "Stopped" ends what was shown, so it is never too early.
        if frame.on and now - self._typed.get(key, -1e9) < self._limits.typing_s:
            return
        if self._shedding.leaves_out("typing"):
            return
        _remember(self._typed, key, now if frame.on else -1e9)
        data = {"on": frame.on, "name": principal.name}
        self._spread(
            principal.tenant,
            Aside(
                "typing", "others", principal.by, data, frame.conversation, TYPING_TTL_S,
                scope.inbox, scope.visitor,
            ),
        )  # fmt: skip

    async def _open(self, session: Session, frame: f.Open) -> None:
        principal = session.principal
        if session.on_screen is not None and (
            not frame.on or session.on_screen != frame.conversation
        ):
            self._look_away(session)
        if not frame.on or session.on_screen == frame.conversation:
            return
        scope = await self._scope(principal.tenant, frame.conversation)
        authorize(principal, Permission.CARDS_READ, scope)
        if principal.kind != "agent":
            return
        looking = self._looking.setdefault((principal.tenant, frame.conversation), set())
        for other in looking:
            if other.principal.id != principal.id:
                self._cast([session], _viewing(other, frame.conversation, on=True))
        looking.add(session)
        session.on_screen = frame.conversation
        self._spread(
            principal.tenant, _viewing(session, frame.conversation, on=True, echo=True)
        )

    def _look_away(self, session: Session) -> None:
        conversation, session.on_screen = session.on_screen, None
        key = (session.principal.tenant, conversation or "")
        looking = self._looking.get(key, set())
        looking.discard(session)
        if not looking:
            self._looking.pop(key, None)
        if not any(other.principal.id == session.principal.id for other in looking):
            self._spread(key[0], _viewing(session, key[1], on=False, echo=True))

    def acknowledged(self, session: Session, seq: int) -> None:
        """Tell the other side what *session*'s client has stored, once for each place."""
        principal, tail = session.principal, self._store.tail
        seq = min(seq, tail.head(principal.tenant))
        self._reached.note(principal.tenant, principal.by, seq)
        if seq <= session.acked:
            return
        before, session.acked = session.acked, seq
        visitor = principal.id if principal.kind == "visitor" else None
        recent = tail.recent(principal.tenant, before, visitor) or []
        newest: dict[str, tuple[int, Scope]] = {}
        for event in recent[-ACK_EVENTS:]:
            theirs = event.by.startswith("visitor:") == (principal.kind != "visitor")
            if event.seq <= seq and event.conversation and theirs and event.kind == _POSTED:
                scope = Scope(event.tenant, event.inbox, event.visitor)
                newest[event.conversation] = (event.seq, scope)
        for conversation, (stored, scope) in newest.items():
            key = (principal.tenant, conversation, principal.kind)
            if self._delivered.get(key, 0) < stored:
                _remember(self._delivered, key, stored)
                data = {"seq": stored}
                aside = Aside(
                    "delivered", "other_side", principal.by, data, conversation,
                    inbox=scope.inbox, visitor=scope.visitor,
                )  # fmt: skip
                self._spread(principal.tenant, aside)

    def _spread(self, tenant: str, aside: Aside) -> None:
        self._deliver(tenant, aside)
        self._tell(tenant, aside)

    def _deliver(self, tenant: str, aside: Aside) -> None:
        """Send *aside* to whom it concerns in this process."""
        to: Iterable[Session]
        match aside.to:
            case "staff":
                to = [one for one in self._readers.staff(tenant) if isinstance(one, Session)]
            case "looking":
                to = self._looking.get((tenant, aside.conversation or ""), ())
            case _:
                to = self._concerned(Scope(tenant, aside.inbox, aside.visitor))
        if aside.to == "other_side":
            by_visitor = aside.by.startswith("visitor:")
            to = [one for one in to if (one.principal.kind == "visitor") != by_visitor]
        elif aside.to != "staff":
            to = [one for one in to if one.principal.by != aside.by]
        self._cast(to, aside)

    def _concerned(self, scope: Scope) -> list[Session]:
        """Return the sessions that may know of a conversation with *scope*."""
        readers = [*self._readers.staff(scope.tenant)]
        if scope.visitor is not None:
            readers += self._readers.of_visitor(scope.tenant, scope.visitor)
        return [
            reader
            for reader in readers
            if isinstance(reader, Session) and reader.feed.sees_scope(scope)
        ]

    def _cast(self, to: Iterable[Session], aside: Aside) -> None:
        frame, key = "", (aside.kind, aside.conversation, aside.by)
        for session in to:
            frame = frame or f.ephemeral(*key, aside.data, aside.ttl_s)
            session.cast(key, frame)

    async def _scope(self, tenant: str, conversation: str) -> Scope:
        known = self._scopes.get((tenant, conversation))
        if known is not None:
            return known

        def query(connection: Connection) -> tuple[str, str] | None:
            return event_log.scopes(connection, tenant, {conversation}).get(conversation)

        found = await self._store.read(query)
        if found is None:
            raise NotFound(f"conversation {conversation}")
        scope = Scope(tenant, *found)
        _remember(self._scopes, (tenant, conversation), scope)
        return scope


_POSTED = "message.posted"


def _presence(who: str, data: dict[str, Any]) -> Aside:
    return Aside("presence", "staff", who, {"who": who} | data)


def _viewing(who: Session, conversation: str, *, on: bool, echo: bool = False) -> Aside:
    principal = who.principal
    data = {"agent": principal.id, "name": principal.name, "on": on}
    return Aside("viewing", "looking", principal.by, data, conversation, 60, echo=echo)


def _remember(known: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep the value as the newest of a bounded number."""
    known[key] = value
    known.move_to_end(key)
    if len(known) > SCOPES_MAX:
        known.popitem(last=False)
