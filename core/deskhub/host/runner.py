"""Calls hooks: every policy, one deadline a call, and answers that carry their instance's name.

pluggy keeps the specs and checks implementations against them; it has no async, stops at the
first exception and cannot bound time, so the calls are made here. Fan-out is one task for
each instance and one wait with one deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast

import pluggy

from deskhub.host.asking import Answer, Asked, Impl, Listener, Refused, begin
from deskhub.host.errors import Crashed, NotRunning, UnknownHook
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import SPECS, Hooks, HookSpec
from deskhub_sdk.hooks import PROJECT

# How long a gathered answer may still come after its deadline.
LATE_S = 10.0
# A wait that ends this much after its deadline says that the hub's own loop was busy.
LAG_S = 0.1

log = logging.getLogger(__name__)


OnLate = Callable[[Answer], None]


class HookRunner:
    """Knows who listens to which hook, and asks them."""

    def __init__(
        self,
        owner: TaskOwner,
        *,
        specs: type = Hooks,
        policies: Mapping[str, HookSpec] = SPECS,
        order: Mapping[str, Sequence[str]] | None = None,
        late_s: float = LATE_S,
    ) -> None:
        """Ask in the *order* of a hook, then by name; late answers have *late_s* more."""
        self._plugins = pluggy.PluginManager(PROJECT)
        self._plugins.add_hookspecs(specs)
        self._policies = policies
        self._order = order or {}
        self.owner = owner
        self._late_s = late_s
        self._listeners: dict[str, Listener] = {}
        self._by_hook: dict[tuple[str, str], tuple[Listener, ...]] = {}

    def expect(self, listener: Listener) -> None:
        """Take an instance in that may become ready; until then its answer is why it is not.

        The one of the same name that was there before is asked no more.
        """
        self.forget(listener.instance)
        self._listeners[listener.instance] = listener
        self._by_hook.clear()

    def forget(self, instance: str) -> None:
        """Ask *instance* no more, and leave it out of every answer."""
        self._listeners.pop(instance, None)
        self._by_hook.clear()
        if self._plugins.has_plugin(instance):
            self._plugins.unregister(name=instance)

    def reorder(self, order: Mapping[str, Sequence[str]]) -> None:
        """Ask in this *order* from now on."""
        self._order = order
        self._by_hook.clear()

    def attach(self, instance: str, adapter: object) -> None:
        """Let *adapter* answer for *instance*.

        Raises `pluggy.PluginValidationError` when it does not fit the specs.
        """
        listener = self._listeners[instance]
        self._plugins.register(adapter, name=instance)
        try:
            self._plugins.check_pending()
        except pluggy.PluginValidationError:
            self._plugins.unregister(adapter)
            raise
        for impl in (found for found in self._plugins.get_hookcallers(adapter) or ()):
            for one in impl.get_hookimpls():
                if one.plugin_name == instance:
                    function = cast("Impl", one.function)
                    listener.impls[impl.name] = (function, tuple(one.argnames))
        listener.why_not = None

    def detach(self, instance: str, why_not: NotRunning) -> None:
        """Stop asking *instance*; from now on it answers with *why_not*."""
        listener = self._listeners.get(instance)
        if listener is None:
            return
        listener.why_not = why_not
        if self._plugins.has_plugin(instance):
            self._plugins.unregister(name=instance)
        listener.impls.clear()

    def listener(self, instance: str) -> Listener | None:
        """Return one instance as hooks see it, or None when it has no hooks."""
        return self._listeners.get(instance)

    def listeners(self, hook: str, tenant: str) -> tuple[Listener, ...]:
        """Return who answers *hook* in *tenant*, in the order they are asked."""
        try:
            return self._by_hook[hook, tenant]
        except KeyError:
            return self._find(hook, tenant)

    def gather(
        self, hook: str, tenant: str, /, *, on_late: OnLate | None = None, **arguments: object
    ) -> Gathering:
        """Return everybody's answers, to be iterated as they arrive until the deadline."""
        return Gathering(self, hook, self.listeners(hook, tenant), arguments, on_late)

    async def first(self, hook: str, tenant: str, /, **arguments: object) -> Answer | None:
        """Return the first answer, in order, that is not None; failures are passed over."""
        for listener in self.listeners(hook, tenant):
            answer = await self.ask(listener, hook, arguments)
            if answer.state == "ok" and answer.value is not None:
                return answer
        return None

    async def veto(self, hook: str, tenant: str, /, **arguments: object) -> Refused | None:
        """Return the refusal of the first in order who refused, or None.

        Where the hook says that errors refuse, silence and failure are refusals too.
        """
        listeners = self.listeners(hook, tenant)
        if not listeners:
            return None
        strict = self._policies[hook].error == "refuse"
        for answer in await Gathering(self, hook, listeners, arguments, None).all():
            if answer.state == "ok" and answer.value is not None:
                return Refused(answer.instance, str(answer.value))
            if answer.state != "ok" and strict:
                return Refused(answer.instance, f"{answer.instance} could not be asked.")
        return None

    async def chain(
        self, hook: str, tenant: str, argument: str, /, **arguments: object
    ) -> object:
        """Return *argument* after everybody transformed it in order, the failing left out."""
        value = arguments[argument]
        for listener in self.listeners(hook, tenant):
            answer = await self.ask(listener, hook, {**arguments, argument: value})
            if answer.state == "ok" and answer.value is not None:
                value = answer.value
        return value

    async def direct(self, instance: str, hook: str, /, **arguments: object) -> Any:  # noqa: ANN401  the hook says
        """Return what *instance* answers. Raises its error, `NotRunning` or `UnknownHook`."""
        listener = self._listeners.get(instance)
        if listener is None or hook not in listener.hooks:
            raise UnknownHook(f"{instance} has no {hook}")
        answer = await self.ask(listener, hook, arguments)
        if answer.state != "ok":
            raise answer.error or Crashed(f"{instance}.{hook}")
        return answer.value

    def collect(self, hook: str, tenant: str, /, **arguments: object) -> list[Answer]:
        """Return what everybody declares at once; for plain functions at activation only."""
        answers: list[Answer] = []
        for listener in self.listeners(hook, tenant):
            if listener.why_not is not None:
                continue
            function, names = listener.impls[hook]
            try:
                value = function(*(arguments[name] for name in names))
            except Exception as error:  # noqa: BLE001  one adapter's fault stays its own
                answers.append(Answer(listener.instance, "failed", error=error))
            else:
                answers.append(Answer(listener.instance, "ok", value))
        return answers

    async def ask(
        self,
        listener: Listener,
        hook: str,
        arguments: Mapping[str, object],
        *,
        deadline_s: float | None = None,
    ) -> Answer:
        """Return one instance's answer within the hook's deadline; never raises for it."""
        limit = deadline_s or self._policies[hook].deadline_s
        started = listener.guard.monotonic()
        asked = begin(self.owner, listener, hook, arguments)
        if isinstance(asked, Answer):
            return asked
        try:
            await asyncio.wait([asked.task], timeout=limit)
        except asyncio.CancelledError:
            self.owner.abandon([asked.task])
            raise
        if not asked.task.done():
            lagged = listener.guard.monotonic() - started > limit + LAG_S
            asked.ticket.late(hub_lagged=lagged)
            self.owner.abandon([asked.task])
        return asked.answer()

    def leave(self, hook: str, asked: Sequence[Asked], on_late: OnLate | None) -> None:
        """Take over calls that nobody waits for: their answers may still come for a while."""
        if on_late is None or not asked:
            self.owner.abandon(one.task for one in asked)
        else:
            self.owner.spawn(self._deliver_late(asked, on_late), name=f"late:{hook}")

    async def _deliver_late(self, asked: Sequence[Asked], on_late: OnLate) -> None:
        by_task = {one.task: one for one in asked}
        pending = set(by_task)
        end = asyncio.get_running_loop().time() + self._late_s
        while pending and (left := end - asyncio.get_running_loop().time()) > 0:
            done, pending = await asyncio.wait(
                pending, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                on_late(by_task[task].answer())
        self.owner.abandon(pending)
        if pending:
            names = sorted(by_task[task].listener.instance for task in pending)
            log.warning("hook_abandoned", extra={"instances": names})

    def policy(self, hook: str) -> HookSpec:
        """Return the policy and deadline of *hook*."""
        return self._policies[hook]

    def _find(self, hook: str, tenant: str) -> tuple[Listener, ...]:
        if hook not in self._policies:
            raise UnknownHook(hook)
        places = {name: place for place, name in enumerate(self._order.get(hook, ()))}
        found = sorted(
            (
                one
                for one in self._listeners.values()
                if one.tenant == tenant and hook in one.hooks
            ),
            key=lambda one: (places.get(one.instance, len(places)), one.instance),
        )
        self._by_hook[hook, tenant] = tuple(found)
        return self._by_hook[hook, tenant]


class Gathering:
    """Answers of several instances: `all` at the deadline, or one by one as they come."""

    def __init__(
        self,
        runner: HookRunner,
        hook: str,
        listeners: tuple[Listener, ...],
        arguments: Mapping[str, object],
        on_late: OnLate | None,
    ) -> None:
        """Ask *listeners*; nothing starts before the first answer is awaited."""
        self._runner = runner
        self._hook = hook
        self._listeners = listeners
        self._arguments = arguments
        self._on_late = on_late

    @property
    def instances(self) -> tuple[str, ...]:
        """Return who is asked, in order."""
        return tuple(one.instance for one in self._listeners)

    async def all(self) -> list[Answer]:
        """Return one answer for each instance, in their order, by the deadline."""
        if not self._listeners:
            return []
        answers = {answer.instance: answer async for answer in self}
        return [answers[one.instance] for one in self._listeners]

    async def __aiter__(self) -> AsyncIterator[Answer]:
        """Yield answers in the order they arrive; at the deadline the rest as ``late``."""
        if not self._listeners:
            return
        loop = asyncio.get_running_loop()
        limit = self._runner.policy(self._hook).deadline_s
        end = loop.time() + limit
        flying: dict[asyncio.Task[Any], Asked] = {}
        try:
            settled: list[Answer] = []
            for listener in self._listeners:
                asked = begin(self._runner.owner, listener, self._hook, self._arguments)
                if isinstance(asked, Answer):
                    settled.append(asked)
                else:
                    flying[asked.task] = asked
            for answer in settled:
                yield answer
            while flying and (left := end - loop.time()) > 0:
                done, _ = await asyncio.wait(
                    flying, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
                # A set has no order; the order of asking makes ties repeatable.
                for task in [task for task in flying if task in done]:
                    yield flying.pop(task).answer()
            lagged = loop.time() > end + LAG_S
            for asked in flying.values():
                asked.ticket.late(hub_lagged=lagged)
                yield asked.answer()
        finally:
            self._runner.leave(self._hook, tuple(flying.values()), self._on_late)
