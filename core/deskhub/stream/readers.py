"""Who is to be woken by which events, and the waking itself in slices."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Protocol

from deskhub.identity.model import Principal
from deskhub.store.event import Event

# One event for 10,000 readers must not stop the loop for everybody else: who is woken by it
# waits behind all others, and these many are woken, for this long at most, between two turns.
SLICE = 200
SLICE_S = 0.002


class Reader(Protocol):
    """Somebody who follows a log for one person."""

    @property
    def principal(self) -> Principal:
        """Return for whom."""
        ...

    def behind(self, after: int) -> None:
        """Note that there are events after seq *after*."""
        ...

    def wake(self) -> None:
        """Go and read them, in the loop's next turn."""
        ...

    def flush(self) -> None:
        """Go and read them now."""
        ...


class Readers:
    """All readers of this process, found by tenant and by visitor."""

    def __init__(self) -> None:
        """Start without readers."""
        self._staff: dict[str, set[Reader]] = {}
        self._visitors: dict[tuple[str, str], set[Reader]] = {}
        self._to_wake: deque[Reader] = deque()
        self._waiting = asyncio.Event()

    def add(self, reader: Reader) -> None:
        """Wake *reader* from now on."""
        self._group(reader.principal).add(reader)

    def remove(self, reader: Reader) -> None:
        """Forget *reader*."""
        principal = reader.principal
        group = self._group(principal)
        group.discard(reader)
        if not group:
            if principal.kind == "visitor":
                self._visitors.pop((principal.tenant, principal.id), None)
            else:
                self._staff.pop(principal.tenant, None)

    def staff(self, tenant: str) -> Iterable[Reader]:
        """Return the readers of *tenant* that are no visitors."""
        return self._staff.get(tenant, ())

    def of_visitor(self, tenant: str, visitor: str) -> Iterable[Reader]:
        """Return the readers of one visitor."""
        return self._visitors.get((tenant, visitor), ())

    def committed(self, tenant: str, events: Sequence[Event], after: int) -> None:
        """Wake whom *events*, the ones after seq *after*, may concern."""
        woken: list[Reader] = list(self._staff.get(tenant, ()))
        if events[0].seq != after + 1:
            # What lies between was written elsewhere and may concern anybody.
            woken += [
                reader
                for (of, _), group in self._visitors.items()
                if of == tenant
                for reader in group
            ]
        else:
            concerned = {
                event.visitor
                for event in events
                if event.visitor is not None and event.audience == "all"
            }
            for visitor in concerned:
                woken += self._visitors.get((tenant, visitor), ())
        for reader in woken:
            reader.behind(after)
        if len(woken) <= SLICE:
            # Their turn comes when the answers of this commit are there as well.
            for reader in woken:
                reader.wake()
            return
        self._to_wake.extend(woken)
        self._waiting.set()

    def wake_all(self) -> None:
        """Let every reader look around, a slice at a time."""
        for groups in (self._staff.values(), self._visitors.values()):
            for group in groups:
                self._to_wake.extend(group)
        self._waiting.set()

    async def run(self) -> None:
        """Wake many readers a slice at a time, until cancelled."""
        while True:
            await self._waiting.wait()
            while self._to_wake:
                until = monotonic() + SLICE_S
                for _ in range(min(SLICE, len(self._to_wake))):
                    self._to_wake.popleft().flush()
                    if monotonic() > until:
                        break
                # Others get their turn between two slices.
                await asyncio.sleep(0)
            self._waiting.clear()

    def _group(self, principal: Principal) -> set[Reader]:
        if principal.kind == "visitor":
            return self._visitors.setdefault((principal.tenant, principal.id), set())
        return self._staff.setdefault(principal.tenant, set())
