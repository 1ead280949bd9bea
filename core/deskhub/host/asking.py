"""A question under way to one instance, and the answer that comes of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Literal

from deskhub.host.errors import Crashed, InstanceBusy, NotRunning, TooLate
from deskhub.host.guard import Guard, Ticket
from deskhub.host.records import granted
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import AdapterError, LoaderStats
from deskhub_sdk.loader import metered

State = Literal["ok", "late", "failed", "busy"]
Impl = Callable[..., Awaitable[Any]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one instance said: *value* when it is ``ok``, else *error*.

    *meter* counts the look-ups and calls that were made for this answer.
    """

    instance: str
    state: State
    value: Any = None
    error: BaseException | None = None
    ms: float = 0.0
    meter: LoaderStats = field(default_factory=LoaderStats)


@dataclass(frozen=True, slots=True)
class Refused:
    """A veto: who refused, and the sentence for whoever asked."""

    instance: str
    text: str


@dataclass(slots=True)
class Listener:
    """One instance as hooks see it. *why_not* is set while it is not ready.

    *reads* are its permissions; *note* learns how each call ended.
    """

    instance: str
    tenant: str
    guard: Guard
    hooks: frozenset[str]
    why_not: NotRunning | None
    note: Callable[[BaseException | None], None]
    reads: frozenset[str] = frozenset()
    impls: dict[str, tuple[Impl, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """A question under way to one instance."""

    listener: Listener
    ticket: Ticket
    meter: LoaderStats
    task: asyncio.Task[Any]
    ms: float = 0.0

    def ended(self, task: asyncio.Task[Any]) -> None:
        """Settle the ticket and tell the instance how its call ended."""
        self.ms = self.ticket.ms
        self.ticket.ended(task)
        if not task.cancelled():
            self.listener.note(task.exception())

    def answer(self) -> Answer:
        """Return the answer as it stands; an unfinished task is ``late``."""
        instance = self.listener.instance
        if not self.task.done():
            error = TooLate(f"{instance} has not answered in time")
            return Answer(instance, "late", None, error, self.ticket.ms, self.meter)
        if self.task.cancelled():
            gone = Crashed(f"{instance} was stopped while it was asked")
            return Answer(instance, "failed", None, gone, self.ms, self.meter)
        failure = self.task.exception()
        if failure is None:
            return Answer(instance, "ok", self.task.result(), None, self.ms, self.meter)
        state: State = "busy" if isinstance(failure, InstanceBusy) else "failed"
        if not isinstance(failure, AdapterError):
            log.error("hook_crashed", extra={"instance": instance}, exc_info=failure)
        return Answer(instance, state, None, failure, self.ms, self.meter)


def begin(
    owner: TaskOwner, listener: Listener, hook: str, arguments: Mapping[str, object]
) -> Asked | Answer:
    """Start asking, or return the answer when asking makes no sense now."""
    if listener.why_not is not None:
        return Answer(listener.instance, "failed", error=listener.why_not)
    try:
        ticket = listener.guard.admit()
    except InstanceBusy as busy:
        return Answer(listener.instance, "busy", error=busy)
    function, names = listener.impls[hook]
    meter = LoaderStats()
    context = copy_context()
    context.run(metered.set, meter)
    task = owner.start(
        _guarded(
            listener.guard,
            function,
            [granted(arguments[name], listener.reads) for name in names],
        ),
        name=f"hook:{hook}:{listener.instance}",
        context=context,
    )
    asked = Asked(listener, ticket, meter, task)
    task.add_done_callback(asked.ended)
    return asked


async def _guarded(guard: Guard, function: Impl, arguments: list[object]) -> Any:  # noqa: ANN401  the hook says
    async with guard.bulkhead:
        return await function(*arguments)
