"""The context of one running instance: everything its adapter may hold, freed at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from deskhub.chat.commands import AddNote, Assign, ChatCommand, PostMessage, ShowCard, Tag
from deskhub.clock import Clock
from deskhub.config import Config
from deskhub.errors import HubError
from deskhub.host.addresses import AllowList
from deskhub.host.cache import InstanceCache, InstanceKv
from deskhub.host.cards import sent_card
from deskhub.host.channel import InstanceChannel
from deskhub.host.egress import Egress
from deskhub.host.errors import translated
from deskhub.host.ports import ChatPort, HostPorts, SeatsPort
from deskhub.host.running import Running
from deskhub.host.tasks import TaskOwner
from deskhub.identity.model import Principal, system
from deskhub.identity.model import adapter as adapter_principal
from deskhub_sdk import (
    AdapterError,
    ConversationId,
    Permissions,
    Rejected,
    Seat,
    Signal,
    TenantId,
)
from deskhub_sdk.cards import Card, CardError
from deskhub_sdk.channel import Channel
from deskhub_sdk.context import Cache, Conversations, Http, Kv, Seats, Tasks
from deskhub_sdk.context import Clock as SdkClock
from deskhub_sdk.loaders import Loaders

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

CLOSE_S = 2.0

log = logging.getLogger(__name__)


class Contexts:
    """Makes the contexts of instances."""

    def __init__(self, config: Config, clock: Clock, ports: HostPorts) -> None:
        """Connect contexts to the hub through *ports*."""
        self._config = config
        self._clock = clock
        self._ports = ports
        self._open: set[InstanceContext] = set()

    def open(self, running: Running, owner: TaskOwner) -> InstanceContext:
        """Return a fresh context for *running*; close it when the instance stops."""
        context = InstanceContext(
            running,
            owner,
            self._clock,
            self._ports,
            timeout_s=running.limits.timeout_s,
            language="en",
            folder=self._config.data_dir.absolute() / "workers" / running.id,
            memory=running.limits.memory,
            closed=self._open.discard,
        )
        self._open.add(context)
        return context

    def forget_loaded(self, tenant: str) -> None:
        """Drop what the loaders of *tenant* keep."""
        for context in self._open:
            if context.tenant == tenant:
                context.forget_loaded()


class InstanceContext(Loaders):
    """`deskhub_sdk.Context` for one instance; `close` frees all that came from it."""

    def __init__(
        self,
        running: Running,
        owner: TaskOwner,
        clock: Clock,
        ports: HostPorts,
        *,
        timeout_s: float,
        language: str,
        folder: Path,
        memory: int,
        closed: Callable[[InstanceContext], None],
    ) -> None:
        """Open nothing yet: connections and tasks begin when they are first used.

        *folder* and *memory* are for an adapter that runs in its own process.
        """
        super().__init__()
        self.folder = folder
        self.memory = memory
        self.monotonic = running.guard.monotonic
        self.also_forget: Callable[[], None] = lambda: None
        permissions = running.meta.permissions if running.meta is not None else Permissions()
        settings = _settings(running)
        self._egress = Egress(
            AllowList(permissions.net, settings),
            running.guard.figures,
            timeout_s=timeout_s,
            now=clock.now,
        )
        self._cache = InstanceCache(running.tenant, running.id)
        self._tasks = InstanceTasks(owner, running.id)
        self.instance = running.id
        self.tenant = TenantId(running.tenant)
        self.language = language
        self.clock: SdkClock = clock
        self.log = logging.LoggerAdapter(
            logging.getLogger(f"deskhub.adapter.{running.use}"),
            {"instance": running.id, "tenant": running.tenant},
        )
        self.http: Http = self._egress
        self.cache: Cache = self._cache
        self.tasks: Tasks = self._tasks
        self.kv: Kv = InstanceKv(ports.kv, running.tenant, running.id)
        self.conversations: Conversations = InstanceConversations(
            ports.chat, ports.seats, principal_of(running)
        )
        self.seats: Seats = InstanceSeats(
            ports.seats, running.tenant, allowed="agents" in permissions.reads
        )
        self.channel: Channel = InstanceChannel(
            ports.channel, running.tenant, running.id,
            allowed="conversation" in permissions.writes,
        )  # fmt: skip
        self._emit = ports.emit
        self._closed = closed
        self._secrets = running.secrets()

    def secret(self, name: str) -> str:
        """Return the secret setting *name* in clear. Raises `KeyError` when there is none."""
        return self._secrets[name]

    async def emit(self, signal: Signal) -> None:
        """Hand the hub a fact found by polling; stored before this returns."""
        await self._emit(self.tenant, self.instance, signal)

    def limit(self, timeout_s: float) -> None:
        """Give each request *timeout_s* from now on, unless it says otherwise."""
        self._egress.timeout_s = timeout_s

    def forget_loaded(self) -> None:
        """Drop what the loaders keep, so that the next look-up asks the far side."""
        super().forget_loaded()
        self.also_forget()

    async def close(self) -> None:
        """End the tasks, the loaders and the connections of this instance."""
        self._closed(self)
        await self._tasks.close()
        await self.close_loaders()
        await self._egress.close()
        await self._cache.clear()


class InstanceConversations:
    """Chat commands as this instance; the hub's policy decides on each."""

    def __init__(self, chat: ChatPort, seats: SeatsPort, principal: Principal) -> None:
        """Act as *principal*, which carries the granted writes."""
        self._chat = chat
        self._seats = seats
        self._principal = principal

    async def post_message(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        """Send *text* to the customer (``writes.message``)."""
        await self._do(PostMessage(conversation, text), cid)

    async def add_note(self, conversation: ConversationId, text: str, *, cid: str) -> None:
        """Leave a note for agents (``writes.note``)."""
        await self._do(AddNote(conversation, text), cid)

    async def show_card(self, conversation: ConversationId, card: Card, *, cid: str) -> None:
        """Show or replace a card in the timeline (``writes.card``)."""
        source = self._principal.id
        try:
            encoded = sent_card(card)
        except CardError as error:
            raise Rejected(str(error)) from error
        await self._do(ShowCard(conversation, encoded, card.audience, source), cid)

    async def assign(
        self, conversation: ConversationId, agent: str | None, *, cid: str
    ) -> None:
        """Give the conversation to *agent*, or back to the queue (``writes.assign``)."""
        name = await self._seats.name_of(self._principal.tenant, agent) if agent else None
        await self._do(Assign(conversation, agent, "routing", name), cid)

    async def tag(self, conversation: ConversationId, tags: Sequence[str], *, cid: str) -> None:
        """Add *tags* (``writes.tag``)."""
        await self._do(Tag(conversation, add=tuple(tags)), cid)

    async def _do(self, command: ChatCommand, cid: str) -> None:
        """Apply *command*; the hub's errors become the contract's."""
        try:
            await self._chat.do(self._principal, command, cid=cid)
        except HubError as error:
            raise translated(error) from error


class InstanceSeats:
    """The seats of this instance's tenant."""

    def __init__(self, port: SeatsPort, tenant: str, *, allowed: bool) -> None:
        """Answer only when ``reads.agents`` was *allowed*."""
        self._port = port
        self._tenant = tenant
        self._allowed = allowed

    async def online(self, inbox: str) -> Sequence[Seat]:
        """Return the agents of *inbox* who are online and not away."""
        self._check()
        return await self._port.online(self._tenant, inbox)

    async def waiting(self, inbox: str) -> Sequence[ConversationId]:
        """Return the open conversations of *inbox* nobody has, longest waiting first."""
        self._check()
        waiting = await self._port.waiting(self._tenant, inbox)
        return [ConversationId(conversation) for conversation in waiting]

    def _check(self) -> None:
        if not self._allowed:
            raise Rejected("this adapter did not ask for reads.agents")


class InstanceTasks:
    """Background work of one instance."""

    def __init__(self, owner: TaskOwner, instance: str) -> None:
        """Run tasks under *owner*, and end those of this instance with it."""
        self._owner = owner
        self._instance = instance
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run *work* until it ends or the instance stops; a failure is logged once."""
        if self._closed:
            work.close()
            raise AdapterError(f"{self._instance} is stopping")
        task = self._owner.start(work, name=f"task:{self._instance}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Cancel what runs and wait for it, but not forever."""
        self._closed = True
        if self._tasks:
            tasks = set(self._tasks)
            self._owner.abandon(tasks)
            await asyncio.wait(tasks, timeout=CLOSE_S)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "adapter_task_failed",
                extra={"instance": self._instance, "task": task.get_name()},
                exc_info=error,
            )


def principal_of(running: Running) -> Principal:
    """Return who *running* is to the rest of the hub."""
    if running.built_in:
        return system(running.tenant, running.use)
    writes = running.meta.permissions.writes if running.meta is not None else ()
    return adapter_principal(running.tenant, running.id, frozenset(writes))


def _settings(running: Running) -> dict[str, object]:
    if running.config is None:
        return {}
    return {name: getattr(running.config, name) for name in type(running.config).model_fields}
