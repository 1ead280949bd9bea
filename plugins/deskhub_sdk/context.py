"""What an adapter holds while it runs: everything it may touch comes from its context."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from deskhub_sdk.cards import Card
from deskhub_sdk.channel import Channel
from deskhub_sdk.loader import Loader
from deskhub_sdk.records import ConversationId, Record, Signal, TenantId

K = TypeVar("K")
V = TypeVar("V")


class HttpAnswer(Record, frozen=True):
    """A complete HTTP answer: *body* is at most the adapter's size limit (default 4 MB)."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  JSON is any of its types
        """Return the parsed body. Raises `Malformed` when it is not JSON."""
        import msgspec  # noqa: PLC0415  only adapters that read JSON pay for the import

        from deskhub_sdk.errors import Malformed  # noqa: PLC0415

        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise Malformed(f"status {self.status}, not JSON: {self.body[:80]!r}") from error


class Http(Protocol):
    """The hub's one way out: allow-list, deadline, retries, size cap, metrics.

    Only hosts of the manifest's ``permissions.net`` can be reached. *repeatable* calls (all
    GETs) are repeated with full jitter when they were not sent, or answered 429 or 503, for
    as long as the deadline allows. Raises `AuthRequired` for 401 and 403, `Throttled` for
    429, `Unavailable` for other 5xx answers of reads and for broken connections,
    `OutcomeUnknown` where a write may have arrived, `NotSent` where it cannot have.
    Other statuses are returned.
    """

    async def request(
        self,
        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
        url: str,
        *,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        repeatable: bool | None = None,
        timeout_s: float | None = None,
    ) -> HttpAnswer:
        """Send one request and return its whole answer."""
        ...


class Cache(Protocol):
    """A bounded cache, shared by this instance's callers, never by tenants."""

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when it is absent or too old."""
        ...

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value* for at most *ttl_s* seconds."""
        ...

    async def delete(self, key: str) -> None:
        """Forget *key*."""
        ...


class Kv(Protocol):
    """Small durable values of this instance (a cursor, a refresh token's handle)."""

    async def get(self, key: str) -> bytes | None:
        """Return the value or None."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Store *value* (at most 64 KB) before returning."""
        ...

    async def delete(self, key: str) -> None:
        """Remove *key* if it is there."""
        ...


class Conversations(Protocol):
    """What an adapter may do to conversations; each needs its ``writes.*`` permission.

    Every call goes through the hub's one command layer and is recorded as this adapter.
    *cid* makes a repetition harmless: the same *cid* has its effect once.
    """

    async def post_message(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        """Send *text* to the customer (``writes.message``)."""
        ...

    async def add_note(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        """Leave a note for agents (``writes.note``)."""
        ...

    async def show_card(self, conversation: ConversationId, card: Card, *, cid: str) -> None:
        """Show or replace a card in the timeline (``writes.card``)."""
        ...

    async def assign(
        self, conversation: ConversationId, agent: str | None, *, cid: str
    ) -> None:
        """Give the conversation to *agent*, or back to the queue (``writes.assign``)."""
        ...

    async def tag(self, conversation: ConversationId, tags: Sequence[str], *, cid: str) -> None:
        """Add *tags* (``writes.tag``)."""
        ...


class Seat(Record, frozen=True):
    """An agent who is online, with how many conversations they hold and may hold."""

    agent: str
    load: int
    capacity: int
    idle_since: datetime


class Seats(Protocol):
    """Who can take a conversation (``reads.agents``)."""

    async def online(self, inbox: str) -> Sequence[Seat]:
        """Return the agents of *inbox* who are online and not away."""
        ...

    async def waiting(self, inbox: str) -> Sequence[ConversationId]:
        """Return the open conversations of *inbox* nobody has, longest waiting first."""
        ...


class Clock(Protocol):
    """The time; replaced in tests."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        ...


class Tasks(Protocol):
    """Background work owned by this instance; all of it ends when the instance stops."""

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run *work* until it ends or the instance stops; a failure is logged once."""
        ...


class Context(Protocol):
    """Everything an adapter may hold; leaving it frees everything."""

    instance: str
    tenant: TenantId
    language: str
    http: Http
    cache: Cache
    kv: Kv
    conversations: Conversations
    seats: Seats
    channel: Channel
    tasks: Tasks
    clock: Clock
    log: logging.LoggerAdapter[logging.Logger]

    def loader(
        self,
        fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        *,
        max_batch: int = 100,
        ttl_s: float = 30.0,
        stale_s: float = 0.0,
        window_ms: float = 0.0,
        cost: Callable[[K], float] | None = None,
        max_cost: float = 0.0,
    ) -> Loader[K, V]:
        """Return the loader that collects single look-ups into calls of *fetch*.

        The same *fetch* always gives the same loader, so loads of all panels leave together.
        *window_ms* is for far sides where a call is dearer than a wait of that length;
        *stale_s*, *cost* and *max_cost* are those of `Loader`.
        """
        ...

    def secret(self, name: str) -> str:
        """Return the setting *name* in clear; only its own adapter can."""
        ...

    async def emit(self, signal: Signal) -> None:
        """Hand the hub a fact found by polling; stored before this returns."""
        ...
