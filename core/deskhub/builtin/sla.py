"""Service levels: notices when a customer waits, or a conversation goes on, beyond its target.

What is late gets a tag: an event in the log like any other, to be filtered, counted and
searched for. How long remains is shown by the console, which is told the opening times.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator
from datetime import date, datetime

import msgspec
from pydantic import BaseModel, Field

from deskhub.builtin.hours import OpeningHours
from deskhub_sdk import (
    Adapter,
    AdapterError,
    Config,
    Context,
    Conversation,
    Customer,
    Message,
    Meta,
    Permissions,
    Rejected,
    hookimpl,
)
from deskhub_sdk.records import ConversationId

LATE_RESPONSE = "late-reply"
LATE_RESOLUTION = "late-solution"
# What is watched is kept in this many values of 64 KB: some 40,000 conversations in work.
SHARDS = 64
# A clock that is set, or a watch that another process began, is noticed this soon.
LOOK_EVERY_S = 30.0


class Target(BaseModel):
    """An inbox's targets in seconds of its opening time."""

    zone: str = "UTC"
    week: tuple[tuple[tuple[int, int], ...], ...]
    holidays: tuple[date, ...] = ()
    response_s: float | None = None
    resolution_s: float | None = None

    @property
    def hours(self) -> OpeningHours:
        """Return the opening times."""
        return OpeningHours(self.zone, self.week, frozenset(self.holidays))


class SlaConfig(Config):
    """The targets by inbox; an inbox without any is not watched."""

    inboxes: dict[str, Target] = Field(default_factory=dict)


class Watch(msgspec.Struct, array_like=True):
    """One conversation: since when it is our turn, and how much opening time was used before.

    *response_due* and *resolution_due* are None while nobody waits for us, or once said.
    """

    inbox: str
    since: datetime | None = None
    waited_s: float = 0.0
    used_s: float = 0.0
    is_paused: bool = False
    response_due: datetime | None = None
    resolution_due: datetime | None = None
    is_late: bool = False


class Sla(Adapter[SlaConfig]):
    """Tags what is late, once for each wait and once for each conversation.

    It keeps what it watches, so that a restart forgets nothing; before it tags, it reads it
    again, so that of several processes none says what another knows to be over.
    """

    meta = Meta(
        id="sla",
        name="Service levels",
        sdk=">=1.0,<2",
        summary="Tags conversations that wait longer than their inbox promises.",
        permissions=Permissions(writes=("tag",)),
    )
    config_model = SlaConfig

    async def start(self, ctx: Context) -> None:
        """Take up what was watched before."""
        await super().start(ctx)
        self._earlier = asyncio.Event()
        self._next_at: datetime | None = None
        self._locks = [asyncio.Lock() for _ in range(SHARDS)]
        if self.config.inboxes:
            ctx.tasks.start(self._watch(), name="watch")

    @hookimpl
    async def message_posted(self, message: Message, conversation: Conversation) -> None:
        """Begin a wait with the customer's word, end it with an agent's."""
        target = self.config.inboxes.get(conversation.inbox)
        if target is None:
            return
        async with self._one(conversation.id) as found:
            watch = found.get(conversation.id) or Watch(conversation.inbox)
            found[conversation.id] = watch
            if message.author.startswith("visitor:") and watch.since is None:
                self._begin(watch, target, message.at)
            elif message.author.startswith("agent:"):
                self._pause(watch, target, message.at)
                watch.waited_s, watch.is_paused = 0.0, False

    @hookimpl
    async def conversation_snoozed(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Stop the clocks: somebody decided that this can wait."""
        del customer
        await self._move(conversation, is_paused=True)

    @hookimpl
    async def conversation_woken(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Let the clocks of a wait that was put away run on."""
        del customer
        await self._move(conversation, is_paused=False)

    @hookimpl
    async def conversation_closed(
        self, conversation: Conversation, customer: Customer | None
    ) -> None:
        """Forget the conversation; a new word begins anew."""
        del customer
        if conversation.inbox in self.config.inboxes:
            async with self._one(conversation.id) as found:
                found.pop(conversation.id, None)

    async def _move(self, conversation: Conversation, *, is_paused: bool) -> None:
        target = self.config.inboxes.get(conversation.inbox)
        if target is None:
            return
        now = self.ctx.clock.now()
        async with self._one(conversation.id) as found:
            watch = found.get(conversation.id)
            if watch is None:
                return
            if is_paused and watch.since is not None:
                self._pause(watch, target, now)
                watch.is_paused = True
            elif not is_paused and watch.is_paused:
                watch.is_paused = False
                self._begin(watch, target, now)

    def _begin(self, watch: Watch, target: Target, at: datetime) -> None:
        watch.since = at
        if target.response_s is not None:
            watch.response_due = target.hours.due(at, target.response_s - watch.waited_s)
        if target.resolution_s is not None and not watch.is_late:
            watch.resolution_due = target.hours.due(at, target.resolution_s - watch.used_s)

    def _pause(self, watch: Watch, target: Target, at: datetime) -> None:
        if watch.since is not None:
            passed = target.hours.elapsed_s(watch.since, at)
            watch.waited_s += passed
            watch.used_s += passed
        watch.since = watch.response_due = watch.resolution_due = None

    async def _watch(self) -> None:
        """Tag what is due, and sleep until the next is."""
        while True:
            self._earlier.clear()
            now, self._next_at = self.ctx.clock.now(), None
            for shard in range(SHARDS):
                for conversation, watch in (await self._load(shard)).items():
                    due_at = _due_at(watch)
                    if due_at is not None and due_at <= now:
                        await self._say(conversation, now)
                    else:
                        self._plan(due_at)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s(now)):
                    await self._earlier.wait()

    def _pause_s(self, now: datetime) -> float:
        left_s = (
            LOOK_EVERY_S if self._next_at is None else (self._next_at - now).total_seconds()
        )
        return max(0.0, min(LOOK_EVERY_S, left_s))

    def _plan(self, due_at: datetime | None) -> None:
        if due_at is not None and (self._next_at is None or due_at < self._next_at):
            self._next_at = due_at
            self._earlier.set()

    @contextlib.asynccontextmanager
    async def _one(self, conversation: str) -> AsyncIterator[dict[str, Watch]]:
        """Lend the watches of *conversation*'s shard; what was changed is kept."""
        shard = zlib.crc32(conversation.encode()) % SHARDS
        async with self._locks[shard]:
            found = await self._load(shard)
            before = _ENCODE(found)
            yield found
            after = _ENCODE(found)
            if after != before:
                await self.ctx.kv.put(f"watch-{shard}", after)
                if conversation in found:
                    self._plan(_due_at(found[conversation]))

    async def _load(self, shard: int) -> dict[str, Watch]:
        value = await self.ctx.kv.get(f"watch-{shard}")
        return msgspec.msgpack.decode(value, type=dict[str, Watch]) if value else {}

    async def _say(self, conversation: str, now: datetime) -> None:
        """Tag *conversation* for what of it is still due."""
        async with self._one(conversation) as found:
            watch = found.get(conversation)
            if watch is None:
                return
            if watch.response_due is not None and watch.response_due <= now:
                await self._tag(conversation, LATE_RESPONSE, watch.response_due)
                watch.response_due = None
            if watch.resolution_due is not None and watch.resolution_due <= now:
                await self._tag(conversation, LATE_RESOLUTION, watch.resolution_due)
                watch.resolution_due, watch.is_late = None, True

    async def _tag(self, conversation: str, tag: str, due: datetime) -> None:
        # The moment makes it one tag for this wait, whoever says it how often.
        cid = f"{tag}-{conversation[-34:]}-{int(due.timestamp())}"[:64]
        try:
            await self.ctx.conversations.tag(ConversationId(conversation), [tag], cid=cid)
        except Rejected:
            self.ctx.log.info("sla_conversation_gone", extra={"conversation": conversation})
        except AdapterError as error:
            self.ctx.log.warning("sla_not_tagged", extra={"code": error.code})
            raise


_ENCODE = msgspec.msgpack.Encoder().encode


def _due_at(watch: Watch) -> datetime | None:
    """Return the first moment at which something about *watch* is late."""
    due = [at for at in (watch.response_due, watch.resolution_due) if at is not None]
    return min(due, default=None)
