"""The host: every instance of the hub, and the only way to call one."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any, Self, TypeVar

from deskhub import __version__
from deskhub.clock import Clock
from deskhub.config import Config, Instance
from deskhub.host.asking import Answer, Refused
from deskhub.host.capability import Capability
from deskhub.host.context import Contexts
from deskhub.host.discovery import Found, hooks_of, installed, leaving, look_at
from deskhub.host.errors import Crashed, TooLate, UnknownInstance
from deskhub.host.guard import Guard
from deskhub.host.ports import BuiltIn, HostPorts
from deskhub.host.runner import LAG_S, Gathering, HookRunner, OnLate
from deskhub.host.running import Running
from deskhub.host.supervisor import Supervisor, listener_of
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import AdapterError, ConfigInvalid, Step

T = TypeVar("T")

log = logging.getLogger(__name__)


class Host:
    """Knows the instances, keeps them running, and asks them. One for each process."""

    def __init__(
        self, config: Config, clock: Clock, ports: HostPorts, running: Sequence[Running]
    ) -> None:
        """Take over *running*, the instances that `build` found."""
        self._config = config
        self._clock = clock
        self._owner = TaskOwner()
        self._contexts = Contexts(config, clock, ports)
        self._running = {one.id: one for one in running}
        self._runner = HookRunner(self._owner, order=config.order)
        self._bind = dict(config.bind)
        self.points: Callable[[], Mapping[str, EntryPoint]] = installed
        self._supervisors: dict[str, Supervisor] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._change = asyncio.Event()
        for one in running:
            self._take_in(one)
            if one.cls is not None:
                self._runner.expect(listener_of(one))

    @classmethod
    def build(
        cls,
        config: Config,
        clock: Clock,
        ports: HostPorts,
        *,
        builtins: Sequence[BuiltIn] = (),
        points: Mapping[str, EntryPoint] | None = None,
    ) -> Self:
        """Discover the entry points and import only what *config* enables.

        *builtins* are the features that ship with the hub. *points* replaces the installed
        entry points. An instance that does not fit is set aside and listed with its reason.
        """
        found = installed() if points is None else points
        running = [made(one, found, clock) for one in config.adapters.values()]
        for feature in builtins:
            running += _built_in(feature, clock)
        host = cls(config, clock, ports, running)
        if points is not None:
            host.points = lambda: points
        return host

    async def run(self) -> None:
        """Start every instance in the background and keep it running until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for instance in list(self._supervisors):
                    self._supervise(instance)
                # Instances come and go; the host stays until it is cancelled.
                await asyncio.get_running_loop().create_future()
        finally:
            self._group = None
            await self._owner.close()

    def settings(self) -> Mapping[str, Instance]:
        """Return what runs, as hub.toml would say it."""
        return {
            one.id: one.settings for one in self._running.values() if one.settings is not None
        }

    def renewed(self) -> frozenset[str]:
        """Return the instances whose adapter was installed anew since it was started.

        It reads manifests, and imports adapters that have none: not for the event loop.
        """
        importlib.invalidate_caches()
        points = self.points()
        return frozenset(
            one.id
            for one in self.all_instances()
            if one.settings is not None
            and one.cls is not None
            and _is_another(one, look_at(one.settings, points))
        )

    def rebind(self, config: Config) -> None:
        """Let ``[bind]`` and ``[order]`` of *config* hold from now on."""
        self._bind.clear()
        self._bind.update(config.bind)
        self._runner.reorder(config.order)

    @property
    def bind(self) -> Mapping[str, str]:
        """Return which instance serves what; it shows what hub.toml says at any time."""
        return MappingProxyType(self._bind)

    async def change(self, instance: str, settings: Instance | None) -> None:
        """Let *settings* hold for *instance*; None takes it out of the hub.

        A call that has begun is let end, and none fails for the change. Raises what keeps
        the new one from starting; then what ran before runs on.
        """
        known = self._running.get(instance)
        wanted = None
        if settings is not None:
            wanted = await asyncio.to_thread(made, settings, self.points(), self._clock)
        supervisor = self._supervisors.get(instance)
        if wanted is not None and wanted.problems and supervisor is not None:
            raise ConfigInvalid(wanted.text)
        if wanted is None or wanted.cls is None or wanted.problems:
            if known is not None:
                await self._put_away(known, wanted)
            elif wanted is not None:
                self._take_in(wanted)
        elif supervisor is not None:
            await supervisor.replace(wanted)
        else:
            if known is not None:
                known.become(wanted)
                known.move("validated", wanted.text)
            # It is asked from when it runs or could not start: until then nobody misses it.
            self._take_in(known or wanted)
            self._supervise(instance)
        self._tell_change()

    def limit(self, instance: str, settings: Instance) -> None:
        """Let the calls' bounds in *settings* hold for *instance*, which goes on running."""
        self.instance(instance).settings = settings
        if (supervisor := self._supervisors.get(instance)) is not None:
            supervisor.limit()

    async def changed(self) -> None:
        """Return when an instance has come, gone, or become another one."""
        await self._change.wait()

    def instances(self, tenant: str) -> Sequence[Running]:
        """Return every instance of *tenant*, those that are set aside included."""
        return [one for one in self._running.values() if one.tenant == tenant]

    def instance(self, instance: str) -> Running:
        """Return one instance. Raises `UnknownInstance`."""
        try:
            return self._running[instance]
        except KeyError:
            raise UnknownInstance(instance) from None

    def all_instances(self) -> Sequence[Running]:
        """Return the instances of every tenant."""
        return list(self._running.values())

    def gather(
        self, hook: str, tenant: str, /, *, on_late: OnLate | None = None, **arguments: object
    ) -> Gathering:
        """Return everybody's answers: iterate as they arrive, or ``await …all()``.

        It ends at the hook's deadline, with ``late`` for the silent. *on_late* is called with
        each answer that still comes within the next seconds.
        """
        return self._runner.gather(hook, tenant, on_late=on_late, **arguments)

    async def first(self, hook: str, tenant: str, /, **arguments: object) -> Answer | None:
        """Return the first answer, in the configured order, that is not None."""
        return await self._runner.first(hook, tenant, **arguments)

    async def veto(self, hook: str, tenant: str, /, **arguments: object) -> Refused | None:
        """Return who refuses and why, or None when nobody does."""
        return await self._runner.veto(hook, tenant, **arguments)

    async def direct(self, instance: str, hook: str, /, **arguments: object) -> Any:  # noqa: ANN401  the hook says
        """Return the answer of *instance*.

        Raises what it raised, or `NotRunning`, `InstanceBusy`, `TooLate`, `UnknownHook`.
        """
        return await self._runner.direct(instance, hook, **arguments)

    @property
    def runner(self) -> HookRunner:
        """Return the hook runner, for announcements."""
        return self._runner

    def capability(self, name: str, tenant: str) -> tuple[str, object] | None:
        """Return (instance, object with the methods of *name*), or None if nobody serves it.

        Of several instances, ``[bind]`` in hub.toml decides, else readiness, then the name.
        Every call is guarded, has the instance's deadline, and raises errors of the contract.
        """
        serving = [one for one in self.instances(tenant) if name in one.capabilities]
        if not serving:
            return None
        bound = self._bind.get(name)
        serving.sort(key=lambda one: (one.id != bound, not one.ready.is_set(), one.id))
        chosen = serving[0]
        return chosen.id, Capability(
            chosen, chosen.capabilities[name], partial(self.call, chosen.id)
        )

    def steps(self, action: str, tenant: str) -> Sequence[tuple[str, Step]]:
        """Return each ready instance's steps of *action* as (instance, bound step).

        Call their functions through `call`. The order is by instance name.
        """
        return [
            (one.id, step)
            for one in sorted(self.instances(tenant), key=lambda one: one.id)
            for step in one.steps
            if step.spec.action == action
        ]

    async def call(
        self, instance: str, work: Callable[[], Awaitable[T]], timeout_s: float
    ) -> T:
        """Return what *work* returns, run under the instance's bulkhead, breaker and deadline.

        Errors of the contract pass through. `NotRunning` and `InstanceBusy` (both `NotSent`):
        *work* was not begun. `TooLate` and `Crashed` (both `OutcomeUnknown`): nobody knows.
        Returns on time also when *work* swallows its cancellation.
        """
        one = self.instance(instance)
        if not one.ready.is_set():
            raise one.why_not()
        guard = one.guard
        ticket = guard.admit()
        task = self._owner.start(_guarded(guard, work), name=f"call:{instance}")
        task.add_done_callback(ticket.ended)
        try:
            await asyncio.wait([task], timeout=timeout_s)
        except asyncio.CancelledError:
            self._owner.abandon([task])
            raise
        if not task.done():
            ticket.late(hub_lagged=ticket.ms > (timeout_s + LAG_S) * 1000)
            self._owner.abandon([task])
            raise TooLate(f"{instance} did not answer within {timeout_s:g} s")
        if task.cancelled():
            raise Crashed(f"{instance} was stopped during the call")
        error = task.exception()
        if guard is one.guard:
            one.note(error)
        if error is None:
            return task.result()
        if isinstance(error, AdapterError):
            raise error
        log.error("call_crashed", extra={"instance": instance}, exc_info=error)
        raise Crashed(f"{instance}: {type(error).__name__}") from error

    def forget_loaded(self, tenant: str) -> None:
        """Let every loader of *tenant* ask its far side again: somebody wants it fresh."""
        self._contexts.forget_loaded(tenant)

    def restart(self, instance: str) -> None:
        """Stop *instance* and start it again now: an admin says that the cause is gone."""
        if (supervisor := self._supervisors.get(instance)) is not None:
            supervisor.restart()

    def _take_in(self, one: Running) -> None:
        """Know *one*, and have it supervised if it is fit for that."""
        self._running[one.id] = one
        if one.state == "validated":
            self._supervisors[one.id] = Supervisor(
                one, self._runner, self._owner, self._contexts, self._clock
            )

    def _supervise(self, instance: str) -> None:
        if self._group is not None:
            self._tasks[instance] = self._group.create_task(
                self._supervisors[instance].run(), name=f"instance:{instance}"
            )

    async def _put_away(self, one: Running, off: Running | None) -> None:
        """Let *one* end its calls and stop; it stays known as *off*, or not at all.

        Nobody new finds it from the first moment on, so that nobody meets it stopping.
        """
        self._runner.forget(one.id)
        one.hide()
        supervisor = self._supervisors.pop(one.id, None)
        task = self._tasks.pop(one.id, None)
        if supervisor is not None and task is not None:
            supervisor.leave()
            task.cancel()
            await asyncio.wait([task])
        if off is None:
            del self._running[one.id]
        else:
            one.become(off)
            one.move(off.state, off.text)

    def _tell_change(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


def made(settings: Instance, points: Mapping[str, EntryPoint], clock: Clock) -> Running:
    """Return the instance that *settings* describe, looked at and not started."""
    guard = Guard(clock.monotonic, in_flight=settings.limits.concurrency)
    if not settings.enabled:
        off = Running(
            settings.id, settings.tenant, use=settings.use, clock=clock, guard=guard,
            settings=settings,
        )  # fmt: skip
        off.move("disabled", "It is switched off in hub.toml.")
        return off
    found = look_at(settings, points)
    one = Running(
        settings.id,
        settings.tenant,
        use=settings.use,
        clock=clock,
        guard=guard,
        cls=found.adapter,
        config=found.config,
        version=found.version,
        hooks=found.hooks,
        problems=found.problems,
        settings=settings,
    )
    if found.problems:
        texts = [str(problem) for problem in found.problems]
        one.move(found.problems[0].state, " ".join(texts))
        log.error("instance_set_aside", extra={"instance": one.id, "problems": texts})
    else:
        one.move("validated", "It has not been started yet.")
    for text in leaving(found.adapter) if found.adapter is not None else ():
        log.warning("adapter_asks_for_what_leaves", extra={"instance": one.id, "what": text})
    return one


def _is_another(one: Running, found: Found) -> bool:
    """Return whether what is installed now is not what runs."""
    if found.problems or found.adapter is None:
        return False
    manifest = getattr(one.cls, "manifest", None)
    return (found.version, getattr(found.adapter, "manifest", None)) != (one.version, manifest)


def _built_in(feature: BuiltIn, clock: Clock) -> list[Running]:
    name = feature.adapter.meta.id
    running = []
    for tenant in feature.tenants:
        # "main" is the only tenant of most hubs; its features need no second name.
        own = name if tenant == "main" else f"{name}@{tenant}"
        running.append(
            Running(
                own,
                tenant,
                use=name,
                clock=clock,
                guard=Guard(clock.monotonic),
                cls=feature.adapter,
                config=feature.config,
                version=__version__,
                hooks=hooks_of(feature.adapter),
                built_in=True,
            )
        )
        running[-1].move("validated", "It has not been started yet.")
    return running


async def _guarded(guard: Guard, work: Callable[[], Awaitable[T]]) -> T:
    async with guard.bulkhead:
        return await work()
