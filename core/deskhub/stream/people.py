"""What the stream needs of whoever knows people: `deskhub.identity.service.Identity`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deskhub.identity.model import Principal


class Authority(Protocol):
    """Who knows tokens."""

    async def authenticate(self, token: str) -> Principal:
        """Return who holds *token*. Raises `Unauthenticated`."""
        ...

    async def still_valid(self, principal: Principal) -> bool:
        """Return whether *principal* may go on."""
        ...


class Colleague(Protocol):
    """An agent."""

    @property
    def id(self) -> str:
        """Return the agent's id."""
        ...

    @property
    def name(self) -> str:
        """Return the display name."""
        ...

    @property
    def status(self) -> str:
        """Return ``online`` or ``away``, as the agent chose."""
        ...

    @property
    def capacity(self) -> int:
        """Return how many conversations the agent can hold."""
        ...

    @property
    def inboxes(self) -> tuple[str, ...] | None:
        """Return which inboxes the agent serves; None means all."""
        ...


class People(Authority, Protocol):
    """Who knows tokens and agents."""

    async def agents(self, tenant: str) -> Sequence[Colleague]:
        """Return the active agents of *tenant*."""
        ...
