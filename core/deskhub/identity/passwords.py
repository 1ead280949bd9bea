"""Passwords: argon2 in threads, few at a time, the same work for people who do not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from pwdlib.hashers.argon2 import Argon2Hasher

from deskhub.errors import Busy
from deskhub.identity.errors import PasswordTooWeak
from deskhub.ids import new_secret

MIN_CHARS, MAX_CHARS = 10, 200
# One check takes about 190 ms and 64 MB: two at a time keep cores free for chat.
PARALLEL = 2
MAX_WAITING = 64

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords without stopping the event loop."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        """Take *hasher* (default: argon2id with the library's recommended cost)."""
        self._hasher = hasher or Argon2Hasher()
        self._slots = asyncio.Semaphore(PARALLEL)
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store for *password*."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Return whether *password* belongs to *stored*.

        Without *stored* (nobody has that e-mail, or only single sign-on) the same work is
        done on a decoy, so that the time of the answer tells nothing.
        """
        decoy = await self._decoy_hash()
        found = await self._in_thread(lambda: self._hasher.verify(password, stored or decoy))
        return found and stored is not None

    async def _decoy_hash(self) -> str:
        if self._decoy is None:
            self._decoy = await self.hash(new_secret())
        return self._decoy

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Busy("too many passwords wait to be checked", after_ms=1000)
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def check_strength(password: str, email: str) -> None:
    """Return when *password* may be used; length is what counts (NIST SP 800-63B 3.1.1)."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS or password.lower() == email.lower():
        raise PasswordTooWeak
