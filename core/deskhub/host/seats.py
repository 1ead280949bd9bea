"""Who can take a conversation, as the contract's records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deskhub.store import seats
from deskhub.store.store import Store
from deskhub.stream.presence import Seat as Place
from deskhub_sdk import Seat


class Presence(Protocol):
    """Who is here: `deskhub.stream.streams.Streams`."""

    async def seats(self, tenant: str, inbox: str) -> Sequence[Place]:
        """Return the agents of *inbox* who are connected and not away."""
        ...

    async def waiting(self, tenant: str, inbox: str) -> Sequence[str]:
        """Return the open conversations of *inbox* nobody has, longest waiting first."""
        ...


class HubSeats:
    """The seats of presence, with the names of the store."""

    def __init__(self, presence: Presence, store: Store) -> None:
        """Ask *presence* who is here and who waits, *store* for names."""
        self._presence = presence
        self._store = store

    async def online(self, tenant: str, inbox: str) -> Sequence[Seat]:
        """Return the agents of *inbox* who are online and not away."""
        return [
            Seat(
                agent=one.agent,
                load=one.load,
                capacity=one.capacity,
                idle_since=one.idle_since,
            )
            for one in await self._presence.seats(tenant, inbox)
        ]

    async def name_of(self, tenant: str, agent: str) -> str | None:
        """Return the display name of *agent*, or None when there is no such agent."""
        return await self._store.read(lambda db: seats.name_of(db, tenant, agent))

    async def waiting(self, tenant: str, inbox: str) -> Sequence[str]:
        """Return the open conversations of *inbox* nobody has, longest waiting first."""
        return await self._presence.waiting(tenant, inbox)
