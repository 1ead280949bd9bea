"""A context for adapter tests without a hub: real HTTP, everything else in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from deskhub_sdk.cards import Card, encode_card
from deskhub_sdk.context import Seat
from deskhub_sdk.loaders import Loaders
from deskhub_sdk.records import ConversationId, Signal, TenantId
from deskhub_sdk.testing.channel import GivenChannel
from deskhub_sdk.testing.http import GivenHttp

K = TypeVar("K")
V = TypeVar("V")


class GivenClock:
    """A clock that follows the machine's until it is set or moved."""

    def __init__(self, now: datetime | None) -> None:
        """Stand still at *now*, or run when it is None."""
        self._still = now

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return self._still or datetime.now(UTC)

    def move(self, by: timedelta) -> None:
        """Go on by *by*; from then on it stands still."""
        self._still = self.now() + by


class GivenStore:
    """`Kv` and `Cache` in a dictionary; ages are ignored."""

    def __init__(self) -> None:
        """Start empty."""
        self.values: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        """Return the value or None."""
        return self.values.get(key)

    async def put(self, key: str, value: bytes) -> None:
        """Keep *value*."""
        self.values[key] = value

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value*; *ttl_s* is not enforced."""
        del ttl_s
        self.values[key] = value

    async def delete(self, key: str) -> None:
        """Forget *key*."""
        self.values.pop(key, None)


class GivenConversations:
    """Records what an adapter did: (*what*, conversation, value); a *cid* counts once."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self.calls: list[tuple[str, str, Any]] = []
        self._cids: set[str] = set()

    async def post_message(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        """Record a message."""
        self._record("message", conversation, text, cid)

    async def add_note(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        """Record a note."""
        self._record("note", conversation, text, cid)

    async def show_card(self, conversation: ConversationId, card: Card, *, cid: str) -> None:
        """Record a card; a card that breaks the format raises `CardError`."""
        encode_card(card)
        self._record("card", conversation, card, cid)

    async def assign(
        self, conversation: ConversationId, agent: str | None, *, cid: str
    ) -> None:
        """Record an assignment."""
        self._record("assign", conversation, agent, cid)

    async def tag(self, conversation: ConversationId, tags: Sequence[str], *, cid: str) -> None:
        """Record tags."""
        self._record("tag", conversation, tuple(tags), cid)

    def _record(self, what: str, conversation: str, value: object, cid: str) -> None:
        if cid not in self._cids:
            self._cids.add(cid)
            self.calls.append((what, conversation, value))


class GivenSeats:
    """Seats that a test fills."""

    def __init__(self) -> None:
        """Start with nobody online."""
        self.taken: list[Seat] = []

    async def online(self, inbox: str) -> Sequence[Seat]:
        """Return every seat; *inbox* makes no difference here."""
        del inbox
        return tuple(self.taken)


class GivenTasks:
    """Runs background work until the context is left."""

    def __init__(self) -> None:
        """Start with nothing running."""
        self.running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run *work* until it ends or the context is left."""
        loop = asyncio.get_running_loop()
        # Owned: loop. close() waits for it.
        self.running.add(loop.create_task(work, name=name))

    async def close(self) -> None:
        """Cancel what still runs and wait for its end; a failure is raised."""
        for task in self.running:
            task.cancel()
        if self.running:
            await asyncio.wait(self.running)
        for task in self.running:
            if not task.cancelled():
                task.result()


class GivenContext(Loaders):
    """What `given_context` yields; a `Context` whose parts a test can look into."""

    def __init__(
        self,
        *,
        instance: str,
        language: str,
        clock: GivenClock,
        http: GivenHttp,
        secrets: Mapping[str, str],
    ) -> None:
        """Put the parts together."""
        super().__init__()
        self.instance = instance
        self.tenant = TenantId("main")
        self.language = language
        self.http = http
        self.cache = GivenStore()
        self.kv = GivenStore()
        self.conversations = GivenConversations()
        self.seats = GivenSeats()
        self.channel = GivenChannel()
        self.tasks = GivenTasks()
        self.clock = clock
        self.log = logging.LoggerAdapter(logging.getLogger("deskhub.adapter"), {})
        self.emitted: list[Signal] = []
        self._secrets = secrets

    def secret(self, name: str) -> str:
        """Return the secret *name*. Raises `KeyError` when the test gave none."""
        return self._secrets[name]

    async def emit(self, signal: Signal) -> None:
        """Keep *signal* in ``emitted``."""
        self.emitted.append(signal)

    async def close(self) -> None:
        """End loaders and background work."""
        await self.close_loaders()
        await self.http.close()
        await self.tasks.close()


@asynccontextmanager
async def given_context(
    *,
    instance: str = "test",
    language: str = "en",
    now: datetime | None = None,
    secrets: Mapping[str, str] | None = None,
    timeout_s: float = 2.0,
) -> AsyncIterator[GivenContext]:
    """Yield a context for one adapter; leaving it frees everything.

    With *now* the clock stands still. *timeout_s* is what an HTTP request may take.
    """
    context = GivenContext(
        instance=instance,
        language=language,
        clock=GivenClock(now),
        http=GivenHttp(timeout_s=timeout_s),
        secrets=secrets or {},
    )
    try:
        yield context
    finally:
        await context.close()
