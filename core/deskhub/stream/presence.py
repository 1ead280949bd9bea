"""Who is there: agents and visitors with at least one connection, here or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from deskhub.identity.model import Principal
from deskhub.stream.reached import Reached

# Reloading a page is not leaving.
GRACE_S = 5.0
POLL_GRACE_S = 30.0
# How long another process is believed about its people when it says nothing more.
BELIEVED_S = 25.0

Key = tuple[str, str]


class Changed(Protocol):
    """Somebody came or has gone for good; *here* says whether to or from this process."""

    def __call__(self, tenant: str, by: str, *, online: bool, here: bool) -> None:
        """Hear of it."""
        ...


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent who can take conversations: how many they hold and may hold, idle since when."""

    agent: str
    load: int
    capacity: int
    idle_since: datetime


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """What another process said about one person."""

    since: datetime
    until: float


class Presence:
    """Counts connections by person; says when somebody comes or has gone for good."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        changed: Changed,
        moved: Callable[[str, str], None] = lambda _tenant, _by: None,
    ) -> None:
        """Call *changed* with the tenant and ``agent:…`` or ``visitor:…``.

        *moved* hears of everybody who comes to this process or leaves it, wherever else they
        are connected.
        """
        self._monotonic = monotonic
        self._changed = changed
        self._moved = moved
        self._connections: dict[Key, int] = {}
        self._since: dict[Key, datetime] = {}
        self._leaving: dict[Key, float] = {}
        self._elsewhere: dict[Key, dict[str, _Elsewhere]] = {}
        self._processes: dict[tuple[str, str], float] = {}
        self._tenants: dict[str, None] = {}
        self.reached = Reached()

    # This process

    def enter(self, principal: Principal, now: datetime) -> None:
        """Count a connection."""
        key = (principal.tenant, principal.by)
        was_here, was_there = key in self._since, key in self._elsewhere
        self._tenants[principal.tenant] = None
        self._connections[key] = self._connections.get(key, 0) + 1
        self._leaving.pop(key, None)
        if not was_here:
            self._since[key] = now
            self._moved(*key)
            if not was_there:
                self._changed(*key, online=True, here=True)

    def leave(self, principal: Principal, grace_s: float = GRACE_S) -> None:
        """Count a connection less; whoever has none left is gone after *grace_s*."""
        key = (principal.tenant, principal.by)
        left = self._connections.get(key, 0) - 1
        if left > 0:
            self._connections[key] = left
            return
        self._connections.pop(key, None)
        self._leaving[key] = self._monotonic() + grace_s

    def tick(self) -> None:
        """Say who has gone; called about once a second."""
        now = self._monotonic()
        for key in [key for key, at in self._leaving.items() if at <= now]:
            del self._leaving[key]
            if self._since.pop(key, None) is not None:
                self._moved(*key)
                if key not in self._elsewhere:
                    self._changed(*key, online=False, here=True)
        self._forget_silent(now)

    def count(self, principal: Principal) -> int:
        """Return how many connections *principal* has to this process."""
        return self._connections.get((principal.tenant, principal.by), 0)

    def here(self, tenant: str, by: str) -> datetime | None:
        """Return since when somebody is connected to this process, or None."""
        return self._since.get((tenant, by))

    def all_here(self, tenant: str) -> Sequence[tuple[str, datetime]]:
        """Return everybody of *tenant* who is connected to this process, and since when."""
        return [(by, since) for (of, by), since in self._since.items() if of == tenant]

    def tenants(self) -> Sequence[str]:
        """Return every tenant that ever had somebody here."""
        return list(self._tenants)

    # Other processes

    def knows(self, tenant: str, process: str) -> bool:
        """Return whether *process* has said something about *tenant* lately."""
        return (tenant, process) in self._processes

    def heard(self, tenant: str, process: str, people: Mapping[str, float]) -> None:
        """Believe *process* for a while that *people* are there since those moments."""
        until = self._monotonic() + BELIEVED_S
        self._processes[tenant, process] = until
        for by, at in people.items():
            key = (tenant, by)
            came = key not in self._since and key not in self._elsewhere
            since = datetime.fromtimestamp(at, UTC)
            self._elsewhere.setdefault(key, {})[process] = _Elsewhere(since, until)
            if came:
                self._changed(*key, online=True, here=False)

    def unheard(self, tenant: str, process: str, people: Sequence[str] | None) -> None:
        """Forget that *people*, or with None all of its people, are at *process*."""
        if people is None:
            self._processes.pop((tenant, process), None)
            people = [
                by for (of, by), at in self._elsewhere.items() if of == tenant and process in at
            ]
        for by in people:
            key = (tenant, by)
            at = self._elsewhere.get(key, {})
            if at.pop(process, None) is not None and not at:
                del self._elsewhere[key]
                if key not in self._since:
                    self._changed(*key, online=False, here=False)

    def _forget_silent(self, now: float) -> None:
        """Believe nobody longer than they repeat what they said."""
        for known in [one for one, until in self._processes.items() if until <= now]:
            del self._processes[known]
        old = [
            (key, process)
            for key, at in self._elsewhere.items()
            for process, one in at.items()
            if one.until <= now
        ]
        for (tenant, by), process in old:
            self.unheard(tenant, process, [by])

    # All of them

    def since(self, tenant: str, by: str) -> datetime | None:
        """Return since when somebody is there, wherever; None when they are not."""
        key = (tenant, by)
        moments = [one.since for one in self._elsewhere.get(key, {}).values()]
        if key in self._since:
            moments.append(self._since[key])
        return min(moments, default=None)

    def has_reached(self, tenant: str, by: str, seq: int) -> bool:
        """Return whether a device of somebody has everything up to *seq*.

        An agent's devices tell only the process that they are connected to: at another one,
        being connected has to do.
        """
        away = by.startswith("agent:") and (tenant, by) in self._elsewhere
        return away or self.reached.has(tenant, by, seq)

    def online(self, tenant: str) -> Sequence[str]:
        """Return everybody of *tenant* who is there: ``agent:…`` and ``visitor:…``."""
        return sorted({by for of, by in (*self._since, *self._elsewhere) if of == tenant})
