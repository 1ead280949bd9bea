"""Announcements: each instance reads the tenant's log at its own pace, and none is lost.

The log is the queue. What an instance was told survives a restart as one number; what it does
not take after every attempt is put aside, visible, so that the next one is told.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from deskhub.clock import Clock
from deskhub.host.asking import Answer, Listener
from deskhub.host.errors import InstanceBusy, NotRunning
from deskhub.host.host import Host
from deskhub.host.patience import patiently
from deskhub.host.records import conversation_record, customer_record
from deskhub.host.running import Running
from deskhub.host.turns import Turns
from deskhub.store import hookcursors
from deskhub.store import log as event_log
from deskhub.store.event import Event
from deskhub.store.hookcursors import DeadLetter
from deskhub.store.store import Store
from deskhub.store.surroundings import Around, around
from deskhub_sdk import SPECS, Message

HOOKS: Mapping[str, str] = {
    "conversation.opened": "conversation_opened",
    "conversation.reopened": "conversation_opened",
    "conversation.assigned": "conversation_assigned",
    "conversation.closed": "conversation_closed",
    "conversation.snoozed": "conversation_snoozed",
    "conversation.woken": "conversation_woken",
    "message.posted": "message_posted",
    "run.changed": "action_finished",
}
DURABLE = frozenset(name for name, spec in SPECS.items() if spec.durable)
ENDED = frozenset({"completed", "compensated", "attention"})
# After these a place may be free, or somebody may wait for one.
MAKES_ROOM = frozenset({"conversation.assigned", "conversation.closed", "conversation.snoozed"})

ATTEMPTS = 10
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 300.0
# A place in the log that says nothing happened is written this seldom.
SAVE_EVERY = 500
SAVE_EVERY_S = 1.0

log = logging.getLogger(__name__)


class Announcer:
    """Tells every instance of a tenant what happened. One `run` for the process.

    Of several processes on one database, one at a time follows the log for an instance.
    """

    def __init__(
        self,
        host: Host,
        store: Store,
        clock: Clock,
        *,
        attempts: int = ATTEMPTS,
        first_pause_s: float = FIRST_PAUSE_S,
        turns: Turns | None = None,
    ) -> None:
        """Read *store*'s log for the instances of *host*, where it is this process's turn."""
        self._turns = turns or Turns(store)
        self._host = host
        self._store = store
        self._clock = clock
        self._attempts = attempts
        self._first_pause_s = first_pause_s
        self._free: dict[tuple[str, str], None] = {}
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Announce until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_of_room(), name="agent-available")
            for tenant in {one.tenant for one in self._host.all_instances()}:
                watch = partial(patiently, "room", partial(self._watch_for_room, tenant))
                watched = self._turns.while_mine(tenant, "room", watch)
                group.create_task(watched, name=f"room:{tenant}")
            followed: dict[Running, asyncio.Task[None]] = {}
            while True:
                listening = {one for one in self._host.all_instances() if one.hooks & DURABLE}
                for one in followed.keys() - listening:
                    followed.pop(one).cancel()
                for one in listening - followed.keys():
                    follow = partial(patiently, one.id, partial(self._follow, one))
                    told = self._turns.while_mine(one.tenant, f"announce:{one.id}", follow)
                    followed[one] = group.create_task(told, name=f"announce:{one.id}")
                await self._host.changed()

    def agent_available(self, tenant: str, inbox: str) -> None:
        """Say that somebody in *inbox* can take a conversation; repeats become one."""
        self._free[tenant, inbox] = None
        self._freed.set()

    async def dead(self, tenant: str) -> Sequence[DeadLetter]:
        """Return what instances of *tenant* did not take."""
        return await self._store.read(lambda db: hookcursors.dead(db, tenant))

    async def replay(self, tenant: str, instance: str, seq: int) -> bool:
        """Tell *instance* once more of what it did not take; return whether it did now."""
        listener = self._listener(self._host.instance(instance))
        events = await self._store.read(lambda db: event_log.after(db, tenant, seq - 1, 1))
        if listener is None or not events or events[0].seq != seq:
            return False
        told = await self._told(listener, events[0])
        if told is not None and told.state != "ok":
            return False
        await self._store.transact(
            tenant, lambda tx: hookcursors.forget(tx.connection, tenant, instance, seq)
        )
        return True

    async def _follow(self, one: Running) -> None:
        """Tell one instance everything that happens after its place in the log."""
        saved = place = await self._begin(one)
        saved_at = self._clock.monotonic()
        async for events in self._store.tail.follow(one.tenant, place):
            for event in events:
                told = await self._take(one, event)
                place = event.seq
                if told and self._clock.monotonic() - saved_at > SAVE_EVERY_S:
                    saved, saved_at = await self._save(one, place), self._clock.monotonic()
            if place - saved >= SAVE_EVERY or any(self._concerns(one, e) for e in events):
                saved, saved_at = await self._save(one, place), self._clock.monotonic()

    async def _begin(self, one: Running) -> int:
        """Return where *one* stands; a new instance begins now and is told nothing old."""
        known = await self._store.read(lambda db: hookcursors.position(db, one.tenant, one.id))
        if known is not None:
            return known
        return await self._save(one, self._store.tail.head(one.tenant))

    async def _save(self, one: Running, seq: int) -> int:
        await self._store.transact(
            one.tenant, lambda tx: hookcursors.advance(tx.connection, one.tenant, one.id, seq)
        )
        return seq

    def _concerns(self, one: Running, event: Event) -> bool:
        return HOOKS.get(event.kind) in one.hooks

    async def _take(self, one: Running, event: Event) -> bool:
        """Tell *one* of *event* until it takes it or is given up; return whether it concerned.

        An instance that is not running or busy is waited for: that says nothing about the
        event.
        """
        if not self._concerns(one, event):
            return False
        attempt = 0
        while True:
            await one.ready.wait()
            listener = self._listener(one)
            answer = None if listener is None else await self._told(listener, event)
            if answer is None or answer.state == "ok":
                return True
            if not isinstance(answer.error, InstanceBusy | NotRunning):
                attempt += 1
                if attempt >= self._attempts:
                    await self._bury(one, event, attempt, answer)
                    return True
            await asyncio.sleep(self._pause_s(attempt, answer.error))

    async def _told(self, listener: Listener, event: Event) -> Answer | None:
        """Call the hook for *event*; None when there is nothing to tell."""
        arguments = await self._arguments(event)
        if arguments is None:
            return None
        return await self._host.runner.ask(listener, HOOKS[event.kind], arguments)

    def _pause_s(self, attempt: int, error: BaseException | None) -> float:
        grown = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** max(0, attempt - 1))
        asked = getattr(error, "retry_after_s", None) or 0.0
        jitter = random.uniform(0.8, 1.2)  # noqa: S311  instances must not knock in step
        return max(asked, grown) * jitter

    async def _bury(self, one: Running, event: Event, attempts: int, answer: Answer) -> None:
        error = type(answer.error).__name__
        letter = DeadLetter(
            one.tenant, one.id, event.seq, HOOKS[event.kind], attempts, error, self._clock.now()
        )
        await self._store.transact(
            one.tenant, lambda tx: hookcursors.bury(tx.connection, letter)
        )
        log.error(
            "announcement_given_up",
            extra={"instance": one.id, "seq": event.seq, "hook": letter.hook, "error": error},
        )

    def _listener(self, one: Running) -> Listener | None:
        return self._host.runner.listener(one.id)

    async def _arguments(self, event: Event) -> dict[str, Any] | None:
        data: dict[str, Any] = msgspec.json.decode(event.data)
        if event.kind == "run.changed":
            return _finished(data)
        found = await self._around(event)
        if found is None:
            return None
        conversation = conversation_record(found.conversation)
        if event.kind == "message.posted":
            message = Message(
                conversation=conversation.id,
                seq=event.seq,
                author=event.by,
                text=str(data.get("text", "")),
                at=event.at,
            )
            return {"message": message, "conversation": conversation}
        customer = customer_record(found.customer) if found.customer is not None else None
        return {"conversation": conversation, "customer": customer}

    async def _around(self, event: Event) -> Around | None:
        of = event.conversation
        if of is None:
            return None
        return await self._store.read(lambda db: around(db, event.tenant, of))

    async def _watch_for_room(self, tenant: str) -> None:
        """Notice in the log that somebody's load went down."""
        async for events in self._store.tail.follow(tenant, self._store.tail.head(tenant)):
            for event in events:
                if event.kind in MAKES_ROOM and event.inbox is not None:
                    self.agent_available(tenant, event.inbox)

    async def _tell_of_room(self) -> None:
        while True:
            await self._freed.wait()
            self._freed.clear()
            free, self._free = self._free, {}
            for tenant, inbox in free:
                for answer in await self._host.gather(
                    "agent_available", tenant, inbox=inbox
                ).all():
                    if answer.state != "ok":
                        log.warning(
                            "announcement_failed",
                            extra={"instance": answer.instance, "hook": "agent_available"},
                        )


def _finished(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the hook's arguments when the run has ended, else None."""
    run = data["run"]
    if run["state"] not in ENDED:
        return None
    return {
        "action": run["type"],
        "run": run["id"],
        "outcome": run["state"],
        "facts": data.get("facts") or {},
    }
