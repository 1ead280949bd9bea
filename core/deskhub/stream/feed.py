"""Which events a reader may see, from memory when it reaches back, else from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deskhub.identity.model import Principal
from deskhub.identity.policy import Scope, may_see
from deskhub.store import log as event_log
from deskhub.store.event import Event
from deskhub.store.store import Store
from deskhub.store.tx import Connection


@dataclass(frozen=True, slots=True)
class Missing:
    """Everything between a cursor and *head* for one reader."""

    events: Sequence[Event]
    head: int


class Feed:
    """One reader's part of a log."""

    def __init__(self, store: Store, principal: Principal) -> None:
        """Read for *principal*."""
        self._store = store
        self.principal = principal
        self._visitor = principal.id if principal.kind == "visitor" else None
        # Whoever sees all shares one encoding of every frame with the others who do.
        self.sees_all = (
            principal.kind == "agent"
            and principal.inboxes is None
            and may_see(principal, "agents", Scope(principal.tenant))
        )

    def renewed(self, principal: Principal) -> Feed:
        """Return the same feed for newer rights of the same person."""
        return Feed(self._store, principal)

    def sees(self, event: Event) -> bool:
        """Return whether the reader may see *event*: the one rule of every transport."""
        if self._visitor is not None and event.visitor != self._visitor:
            return False
        scope = Scope(event.tenant, event.inbox, event.visitor)
        return may_see(self.principal, event.audience, scope)

    def sees_scope(self, scope: Scope) -> bool:
        """Return whether the reader may know of the conversation with *scope*."""
        return self.sees_all or may_see(self.principal, "all", scope)

    def recent(self, after: int) -> list[Event] | None:
        """Return the visible events after *after* from memory, None when it is too far back."""
        found = self._store.tail.recent(self.principal.tenant, after, self._visitor)
        if found is None or self.sees_all:
            return found
        return [event for event in found if self.sees(event)]

    async def page(self, after: int, limit: int) -> Sequence[Event]:
        """Return the first events after *after* that can be visible, from the database.

        Pass each through `sees`; fewer than *limit* means that there are no more.
        """
        principal = self.principal

        def query(connection: Connection) -> Sequence[Event]:
            return event_log.visible_after(
                connection,
                principal.tenant,
                after,
                limit,
                visitor=self._visitor,
                inboxes=principal.inboxes,
            )

        return await self._store.read(query)

    async def missing(self, after: int, limit: int, limit_bytes: int) -> Missing | None:
        """Return everything visible after *after*; None when that is more than the limits."""
        head = self._store.tail.head(self.principal.tenant)
        found: Sequence[Event] | None = self.recent(after)
        if found is None:
            raw = await self.page(after, limit + 1)
            if len(raw) > limit:
                return None
            found = [event for event in raw if self.sees(event)]
            head = max(head, raw[-1].seq) if raw else head
        if len(found) > limit or sum(len(event.encoded) for event in found) > limit_bytes:
            return None
        return Missing(found, head)
