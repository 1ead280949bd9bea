"""Ends the sessions of people whose rights ended, wherever that was decided."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

from deskhub.errors import StoreDown
from deskhub.stream.errors import Close
from deskhub.stream.people import Authority
from deskhub.stream.session import Session

EVERY_S = 2.0
# What this process remembers of somebody may be two seconds old: it looks once more then.
AGAIN_S = 2.5


class Revocations:
    """Looks at agents' sessions every two seconds, and at once at whoever is named."""

    def __init__(
        self,
        sessions: Mapping[str, Session],
        people: Authority,
        monotonic: Callable[[], float],
    ) -> None:
        """Look at *sessions*; ask *people*."""
        self._sessions = sessions
        self._people = people
        self._monotonic = monotonic
        self._suspects: set[Session] = set()
        self._again: list[tuple[float, str, str]] = []
        self._now = asyncio.Event()

    def suspect(self, tenant: str, who: str) -> None:
        """Look at the sessions of *who* (an agent's or visitor's id) at once."""
        for session in self._sessions.values():
            if session.principal.tenant == tenant and session.principal.id == who:
                self._suspects.add(session)
        self._now.set()

    def heard(self, tenant: str, who: str) -> None:
        """Do so now and a little later: another process says so."""
        self.suspect(tenant, who)
        self._again.append((self._monotonic() + AGAIN_S, tenant, who))

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._now.wait()
            self._now.clear()
            while self._again and self._again[0][0] <= self._monotonic():
                self.suspect(*self._again.pop(0)[1:])
            suspects, self._suspects = self._suspects, set()
            staff = [s for s in self._sessions.values() if s.principal.kind != "visitor"]
            await self._check([*staff, *suspects])

    async def _check(self, sessions: Sequence[Session]) -> None:
        verdicts: dict[tuple[str, str, str | None, int], bool] = {}
        for session in sessions:
            who = session.principal
            key = (who.tenant, who.by, who.session, who.version)
            try:
                if key not in verdicts:
                    verdicts[key] = await self._people.still_valid(who)
            except StoreDown:
                # Nobody can be asked. Nothing can be written either; the next look decides.
                return
            if not verdicts[key]:
                session.close(Close.REVOKED)
