"""The bus of hubs that share one process: a list of callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from deskhub.bus.listeners import Listeners
from deskhub.bus.port import OnCast, OnWake


class MemoryBus:
    """Connects the `member`s of one process, each as if it were a process of its own."""

    def __init__(self) -> None:
        """Start without members."""
        self._members: list[MemoryMember] = []

    def member(self) -> MemoryMember:
        """Return one more end of this bus."""
        member = MemoryMember(self._members)
        self._members.append(member)
        return member


class MemoryMember:
    """One end of a `MemoryBus`; what it sends reaches every other end."""

    def __init__(self, members: list[MemoryMember]) -> None:
        """Use `MemoryBus.member`."""
        self._members = members
        self._listeners = Listeners()

    @property
    def is_connected(self) -> bool:
        """Return whether others can be reached: always."""
        return True

    def wake(self, tenant: str, head: int) -> None:
        """Tell the others that *tenant*'s log reached *head*."""
        for member in self._others():
            member._listeners.woken(tenant, head)  # noqa: SLF001  an end of the same bus

    def cast(self, tenant: str, what: bytes) -> None:
        """Tell the others *what*."""
        for member in self._others():
            member._listeners.told(tenant, what)  # noqa: SLF001  an end of the same bus

    def listen(
        self, on_wake: OnWake | None = None, on_cast: OnCast | None = None
    ) -> Callable[[], None]:
        """Call back for what the others send."""
        return self._listeners.add(on_wake, on_cast)

    async def run(self) -> None:
        """Stay until cancelled."""
        await asyncio.Event().wait()

    def _others(self) -> list[MemoryMember]:
        return [member for member in self._members if member is not self]
