"""Heartbeats, expiring tokens and revoked people: what time does to open sessions."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from deskhub.clock import Clock
from deskhub.identity.model import Principal
from deskhub.stream import frames as f
from deskhub.stream.errors import Close
from deskhub.stream.limits import Limits
from deskhub.stream.session import Session

AUTH_SOON_S = 60


class Pulse:
    """Looks at every session when it is due, never at all of them at once.

    Their sids are kept by the second in which something about them is due: 10,000 of them
    cost about 400 looks a second, and one that has ended is not kept alive until then.
    """

    def __init__(
        self, limits: Limits, clock: Clock, still_valid: Callable[[Principal], Awaitable[bool]]
    ) -> None:
        """Use *limits* and *clock*; ask *still_valid* about visitors when they are due."""
        self._limits = limits
        self._clock = clock
        self._still_valid = still_valid
        self._due: dict[int, set[str]] = {}
        self._next = int(clock.monotonic())
        self._count = 0

    def add(self, session: Session) -> None:
        """Take *session* in."""
        wait_s = min(self._silence_s(), self._next_expiry(session))
        self._at(session, self._clock.monotonic() + wait_s)

    async def tick(self, session_of: Callable[[str], Session | None]) -> None:
        """Look at the sessions that are due; *session_of* knows those that still exist."""
        now = self._clock.monotonic()
        while self._next <= int(now):
            for sid in self._due.pop(self._next, ()):
                session = session_of(sid)
                if session is not None and not session.is_closing:
                    await self._look(session, now)
            self._next += 1

    async def _look(self, session: Session, now: float) -> None:
        if session.principal.kind == "visitor" and not await self._still_valid(
            session.principal
        ):
            session.close(Close.REVOKED)
            return
        if self._expired(session):
            return
        if session.asked_at is not None:
            if now - session.asked_at >= self._limits.answer_s:
                session.close(Close.STUCK)
                return
            self._at(session, session.asked_at + self._limits.answer_s)
            return
        quiet = now - min(session.heard_at, session.sent_at)
        if quiet < self._limits.heartbeat_s - self._limits.heartbeat_jitter_s:
            self._at(session, now + min(self._silence_s() - quiet, self._next_expiry(session)))
            return
        session.asked_at = now
        session.advance()
        self._count += 1
        session.reply(f.plain({"t": "ping", "k": self._count}))
        self._at(session, now + self._limits.answer_s)

    def _expired(self, session: Session) -> bool:
        left = self._left(session)
        if left <= 0:
            session.close(Close.TOKEN_EXPIRED)
            return True
        if left <= AUTH_SOON_S and not session.expiry_told:
            session.expiry_told = True
            session.reply(f.plain({"t": "auth_soon", "in_s": int(left)}))
        return False

    def _left(self, session: Session) -> float:
        if session.expires_at is None:
            return float("inf")
        return session.expires_at - self._clock.now().timestamp()

    def _next_expiry(self, session: Session) -> float:
        left = self._left(session)
        return left if session.expiry_told else max(0.0, left - AUTH_SOON_S)

    def _silence_s(self) -> float:
        jitter = self._limits.heartbeat_jitter_s
        return self._limits.heartbeat_s + random.uniform(-jitter, jitter)  # noqa: S311

    def _at(self, session: Session, moment: float) -> None:
        self._due.setdefault(max(int(moment), self._next + 1), set()).add(session.sid)
