"""The adapter's context inside a worker: what the hub owns is asked for over the socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import msgspec

from deskhub_sdk.cards import Card
from deskhub_sdk.channel import PART_BYTES, Channel, Heard, Said, SaidFile
from deskhub_sdk.context import (
    Cache,
    Clock,
    Conversations,
    Http,
    HttpAnswer,
    Kv,
    Seat,
    Seats,
    Tasks,
)
from deskhub_sdk.loaders import Loaders
from deskhub_sdk.records import ConversationId, Signal, TenantId
from deskhub_sdk.worker.peer import Peer
from deskhub_sdk.worker.wire import decode, encode_arguments

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

log = logging.getLogger("deskhub.adapter")


class WorkerContext(Loaders):
    """`deskhub_sdk.Context` whose parts call the hub."""

    def __init__(
        self,
        peer: Peer,
        *,
        instance: str,
        tenant: str,
        language: str,
        secrets: Mapping[str, str],
    ) -> None:
        """Ask the hub through *peer*; loader, clock, tasks and secrets are local."""
        super().__init__()
        self.instance = instance
        self.tenant = TenantId(tenant)
        self.language = language
        self.http: Http = _Http(peer)
        self.cache: Cache = _Cache(peer)
        self.kv: Kv = _Kv(peer)
        self.conversations: Conversations = _Conversations(peer)
        self.seats: Seats = _Seats(peer)
        self.channel: Channel = _Channel(peer)
        self._tasks = LocalTasks()
        self.tasks: Tasks = self._tasks
        self.clock: Clock = LocalClock()
        self.log = logging.LoggerAdapter(log, {"instance": instance, "tenant": tenant})
        self._peer = peer
        self._secrets = secrets

    def secret(self, name: str) -> str:
        """Return the secret setting *name* in clear. Raises `KeyError` when there is none."""
        return self._secrets[name]

    async def emit(self, signal: Signal) -> None:
        """Hand the hub a fact found by polling; stored before this returns."""
        await self._peer.ask("emit", signal)

    async def close(self) -> None:
        """End loaders and background work."""
        await self._tasks.close()
        await self.close_loaders()


class LocalClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class LocalTasks:
    """Background work of the adapter; a failure is logged once."""

    def __init__(self) -> None:
        """Start with nothing running."""
        self.running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run *work* until it ends or the worker stops."""
        loop = asyncio.get_running_loop()
        # Owned: loop. `close` cancels it and waits for it.
        task = loop.create_task(work, name=name)
        self.running.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Cancel what runs and wait for it."""
        running = set(self.running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=2.0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("adapter_task_failed", extra={"task": task.get_name()}, exc_info=error)


class _Part:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer


class _Http(_Part):
    async def request(
        self,
        method: Method,
        url: str,
        *,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        repeatable: bool | None = None,
        timeout_s: float | None = None,
    ) -> HttpAnswer:
        """Send one request through the hub and return its whole answer."""
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if json is not None:
            data = msgspec.json.encode(json)
            sent.setdefault("content-type", "application/json")
        pairs = list(params.items()) if isinstance(params, Mapping) else params
        answer = await self._peer.ask(
            "http.request", method, url, data, sent, pairs, repeatable, timeout_s
        )
        found: HttpAnswer = decode(answer, HttpAnswer)
        return found


class _Cache(_Part):
    async def get(self, key: str) -> bytes | None:
        found: bytes | None = decode(await self._peer.ask("cache.get", key), bytes | None)
        return found

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        await self._peer.ask("cache.set", key, value, ttl_s)

    async def delete(self, key: str) -> None:
        await self._peer.ask("cache.delete", key)


class _Kv(_Part):
    async def get(self, key: str) -> bytes | None:
        found: bytes | None = decode(await self._peer.ask("kv.get", key), bytes | None)
        return found

    async def put(self, key: str, value: bytes) -> None:
        await self._peer.ask("kv.put", key, value)

    async def delete(self, key: str) -> None:
        await self._peer.ask("kv.delete", key)


class _Conversations(_Part):
    async def post_message(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        await self._peer.ask("conversations.post_message", conversation, text, cid)

    async def add_note(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        await self._peer.ask("conversations.add_note", conversation, text, cid)

    async def show_card(self, conversation: ConversationId, card: Card, *, cid: str) -> None:
        arguments = encode_arguments((conversation, card, cid))
        await self._peer.ask_raw("conversations.show_card", arguments)

    async def assign(
        self, conversation: ConversationId, agent: str | None, *, cid: str
    ) -> None:
        await self._peer.ask("conversations.assign", conversation, agent, cid)

    async def tag(self, conversation: ConversationId, tags: Sequence[str], *, cid: str) -> None:
        await self._peer.ask("conversations.tag", conversation, list(tags), cid)


class _Seats(_Part):
    async def online(self, inbox: str) -> Sequence[Seat]:
        found: tuple[Seat, ...] = decode(
            await self._peer.ask("seats.online", inbox), tuple[Seat, ...]
        )
        return found

    async def waiting(self, inbox: str) -> Sequence[ConversationId]:
        found: tuple[ConversationId, ...] = decode(
            await self._peer.ask("seats.waiting", inbox), tuple[ConversationId, ...]
        )
        return found


class _Channel(_Part):
    """Large things cross the socket in parts: a frame has a bound."""

    async def hear(self, said: Said, files: Sequence[SaidFile] = ()) -> Heard:
        named = []
        for number, file in enumerate(files):
            for start in range(0, len(file.data), PART_BYTES):
                part = file.data[start : start + PART_BYTES]
                await self._peer.ask("channel.part", said.key, number, start, part)
            named.append((file.name, len(file.data)))
        found: Heard = decode(await self._peer.ask("channel.hear", said, named), Heard)
        return found

    async def find(self, tokens: Sequence[str]) -> ConversationId | None:
        told = await self._peer.ask("channel.find", list(tokens))
        found: ConversationId | None = decode(told, ConversationId | None)
        return found

    async def leaving(self, answer: str) -> bool:
        found: bool = decode(await self._peer.ask("channel.leaving", answer), bool)
        return found

    async def returned(self, tokens: Sequence[str], answer: str, why: str) -> bool:
        told = await self._peer.ask("channel.returned", list(tokens), answer, why)
        found: bool = decode(told, bool)
        return found

    async def read_file(self, answer: str, file: str) -> bytes:
        whole = bytearray()
        while True:
            told = await self._peer.ask("channel.read_part", answer, file, len(whole))
            part: bytes = decode(told, bytes)
            whole += part
            if len(part) < PART_BYTES:
                return bytes(whole)
