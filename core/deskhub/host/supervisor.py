"""Moves one instance through its life: start, keep an eye on it, start again, drain, stop.

Chat never waits for any of this; a slow start delays only the instance's own cards. Where
another adapter or other settings take an instance's place, the new one runs and is healthy
before the first call goes to it, and the old one ends after its last call.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from datetime import timedelta
from typing import Any

from deskhub.clock import Clock
from deskhub.host.asking import Listener
from deskhub.host.context import Contexts
from deskhub.host.held import Held, begin
from deskhub.host.isolation.process import WorkerEnded
from deskhub.host.isolation.proxy import Incompatible
from deskhub.host.runner import HookRunner
from deskhub.host.running import Running, auth_text
from deskhub.host.tasks import TaskOwner
from deskhub_sdk import (
    AdapterError,
    AuthRequired,
    ConfigInvalid,
    Health,
    NotReady,
)

# A hub that ends does not wait long; who is replaced may finish the longest step there is.
DRAIN_S = 5.0
LET_GO_S = 65.0
CHECK_S = 5.0
CHECK_EVERY_S = 30.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
# So many ends of its process within so long, and only a person starts it again.
ENDS = 5
ENDS_S = 600.0
# An admin has to act; looking now and then finds out that it was done at the far side.
LOCKED_OUT_PAUSE_S = 300.0

log = logging.getLogger(__name__)


class Supervisor:
    """Runs one instance until cancelled."""

    def __init__(
        self,
        running: Running,
        runner: HookRunner,
        owner: TaskOwner,
        contexts: Contexts,
        clock: Clock,
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        """Supervise *running*, a validated instance."""
        self.running = running
        self._runner = runner
        self._owner = owner
        self._contexts = contexts
        self._clock = clock
        self._first_pause_s = first_pause_s
        self._check_every_s = check_every_s
        self._wake = asyncio.Event()
        self._failures = 0
        self._held: Held | None = None
        self._group: asyncio.TaskGroup | None = None
        self._drain_s = DRAIN_S
        self._ends: deque[float] = deque(maxlen=ENDS)

    def restart(self) -> None:
        """End the present attempt, pause or run, and start anew."""
        self._failures = 0
        self._ends.clear()
        self._wake.set()

    async def run(self) -> None:
        """Start the instance, and start it again whenever it could not or was told to."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            while True:
                self._wake.clear()
                pause_s = await self._live()
                try:
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    async def replace(self, candidate: Running) -> None:
        """Let *candidate* take the instance's place without a call that fails for it.

        Raises what kept it from starting or from being healthy; then all is as it was. What
        did not work before is not checked against: it is given up at once.
        """
        one = self.running
        candidate.guard.figures = one.guard.figures
        if not one.ready.is_set():
            self._give_way(candidate)
            return
        held = await self._begin(candidate)
        try:
            await self._healthy(held)
        except BaseException:
            await held.end()
            raise
        before = self._held
        if before is None or self._group is None:
            await held.end()
            self._give_way(candidate)
            return
        self._swap(candidate, held)
        self._group.create_task(self._let_go(before), name=f"let-go:{one.id}")
        log.info("instance_replaced", extra={"instance": one.id, "tenant": one.tenant})

    def limit(self) -> None:
        """Let the limits of the settings hold for what runs."""
        limits = self.running.limits
        self.running.guard.bulkhead.resize(limits.concurrency)
        if self._held is not None:
            self._held.context.limit(limits.timeout_s)

    def leave(self) -> None:
        """Let every call that runs end before the instance does, once `run` is cancelled."""
        self._drain_s = LET_GO_S

    async def _live(self) -> float | None:
        """Start, stay until told otherwise, stop. Return the pause before the next start."""
        one = self.running
        self._move("starting", f"{one.name} is starting.")
        try:
            held = await self._begin(one)
        except Exception as error:  # noqa: BLE001  an adapter may raise anything; it is set aside
            return self._failed(error)
        if self._wake.is_set():
            # It was told to start anew, perhaps as something else, while it started.
            await held.end()
            return 0.0
        try:
            self._attach(held)
        except Exception as error:  # noqa: BLE001  it does not fit the specs
            await held.end()
            return self._failed(error)
        self._failures = 0
        self._move("ready")
        log.info("instance_ready", extra={"instance": one.id, "tenant": one.tenant})
        try:
            await self._watch()
        finally:
            held, self._held = self._held or held, None
            await self._stop(held)
        if held.ended is None:
            return 0.0
        # It was the crash that woke us: the pause before the next start holds.
        self._wake.clear()
        return self._failed(held.ended)

    async def _begin(self, what: Running) -> Held:
        return await begin(
            what, self._contexts, self._owner, on_end=self._worker_ended, on_fault=self._fault
        )

    async def _healthy(self, held: Held) -> None:
        """Ask the new one how it is. Raises when it is worse than what runs."""
        if self.running.state != "ready":
            return
        health = await self._owner.bounded(
            held.adapter.check_connection, CHECK_S, name=f"check:{self.running.id}"
        )
        if held.ended is not None:
            raise held.ended
        if not health.ok:
            raise NotReady(health.text or f"{self.running.name} reports a problem.")

    def _attach(self, held: Held) -> None:
        """Let calls go to *held*."""
        one = self.running
        self._make_known()
        self._runner.attach(one.id, held.adapter)
        self._held = held
        one.adapter, one.steps, one.layers = held.adapter, held.steps, held.layers

    def _make_known(self) -> None:
        """Have the instance among those that are asked, if it came while the hub ran."""
        if self._runner.listener(self.running.id) is None:
            self._runner.expect(listener_of(self.running))

    def _swap(self, candidate: Running, held: Held) -> None:
        """Let every call from now on go to *held*: nothing can come in between."""
        one = self.running
        before = self._runner.listener(one.id)
        if before is not None:
            # What the old one still learns says nothing about the new one.
            before.note = lambda _: None
        one.become(candidate)
        self._runner.expect(listener_of(one))
        self._attach(held)

    def _give_way(self, candidate: Running) -> None:
        """Be *candidate* from now on, and start it."""
        self.running.become(candidate)
        self._runner.expect(listener_of(self.running))
        self.restart()

    async def _let_go(self, held: Held) -> None:
        """Wait for the last call of a replaced adapter, then stop it."""
        try:
            await held.guard.bulkhead.drained(LET_GO_S)
        finally:
            await held.end()

    async def _watch(self) -> None:
        """Check the connection now and then until the instance is to be restarted."""
        one = self.running
        while True:
            try:
                async with asyncio.timeout(self._check_every_s * random.uniform(0.9, 1.1)):  # noqa: S311  spreads the checks
                    await self._wake.wait()
                    return
            except TimeoutError:
                pass
            assert self._held is not None  # noqa: S101  it is watched
            held = self._held
            try:
                health = await self._owner.bounded(
                    held.adapter.check_connection, CHECK_S, name=f"check:{one.id}"
                )
            except AuthRequired as error:
                if held is self._held:
                    one.note(error)
                continue
            except Exception as error:  # noqa: BLE001  whatever it is, it is the adapter's state
                text = _no_answer(one, error)
                health = Health(ok=False, text=text, checked_at=self._clock.now())
            if held is self._held:
                one.checked(health)

    async def _stop(self, held: Held) -> None:
        one = self.running
        self._move("draining", f"{one.name} is stopping.")
        self._runner.detach(one.id, one.why_not())
        try:
            await held.guard.bulkhead.drained(self._drain_s)
        finally:
            one.adapter, one.steps = None, ()
            await held.end()
            self._move("stopped", f"{one.name} is stopped.")

    def _worker_ended(self, held: Held) -> None:
        """Wake up when it is the process of what runs that is gone."""
        if held is self._held:
            self._wake.set()

    def _fault(self, what: str) -> None:
        """Say what the adapter tried and was refused, until the next check."""
        one = self.running
        log.error("adapter_overstepped", extra={"instance": one.id, "what": what})
        text = f"{one.name} did what it may not do, and was refused: {what}."
        one.checked(Health(ok=False, text=text, checked_at=self._clock.now()))

    def _failed(self, error: Exception) -> float | None:
        """Set the state that *error* asks for; return the seconds until the next attempt.

        None is to wait until somebody says so.
        """
        one = self.running
        one.adapter, one.steps = None, ()
        self._make_known()
        self._failures += 1
        log.warning(
            "instance_start_failed",
            extra={"instance": one.id, "error": str(error), "failures": self._failures},
            exc_info=None if isinstance(error, AdapterError) else error,
        )
        if isinstance(error, WorkerEnded):
            return self._again(error)
        if isinstance(error, Incompatible):
            self._move("incompatible", f"{one.name} cannot run here: {error}")
            return None
        if isinstance(error, AuthRequired):
            self._move("auth_required", auth_text(one.name, error), LOCKED_OUT_PAUSE_S)
            return LOCKED_OUT_PAUSE_S
        if isinstance(error, ConfigInvalid):
            self._move(
                "config_invalid",
                f"{one.name} cannot work with its settings: {error} "
                "An admin must change them in hub.toml.",
                LOCKED_OUT_PAUSE_S,
            )
            return LOCKED_OUT_PAUSE_S
        pause_s = self._pause_s(error)
        self._move("backoff", _start_text(one, error), pause_s)
        return pause_s

    def _again(self, error: WorkerEnded) -> float | None:
        """Start an ended process anew after a pause that grows; not for ever."""
        one = self.running
        now = self._clock.monotonic()
        self._ends.append(now)
        self._failures = sum(at > now - ENDS_S for at in self._ends)
        if self._failures >= ENDS:
            text = (
                f"{one.name} was ended {ENDS} times within ten minutes; the last time it "
                f"{error}. Its author must look at it; an admin can start it again."
            )
            self._move("quarantined", text)
            return None
        pause_s = self._pause_s(error)
        self._move("backoff", f"{one.name} {error}. It starts again by itself.", pause_s)
        return pause_s

    def _pause_s(self, error: Exception) -> float:
        if isinstance(error, NotReady) and error.retry_after_s is not None:
            return max(0.0, error.retry_after_s)
        longest = min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** (self._failures - 1))
        return longest * random.uniform(0.8, 1.2)  # noqa: S311  instances must not start in step

    def _move(self, life: Any, text: str = "", pause_s: float | None = None) -> None:  # noqa: ANN401  Life
        next_try = None
        if pause_s is not None:
            next_try = self._clock.now() + timedelta(seconds=pause_s)
        self.running.move(life, text, next_try=next_try)
        if life not in ("ready", "draining"):
            self._runner.detach(self.running.id, self.running.why_not())


def listener_of(one: Running) -> Listener:
    """Return *one* as hooks see it, before its adapter is attached."""
    reads = frozenset(one.meta.permissions.reads if one.meta is not None else ())
    return Listener(one.id, one.tenant, one.guard, one.hooks, one.why_not(), one.note, reads)


def _no_answer(one: Running, error: Exception) -> str:
    """Return the sentence for an instance whose far side cannot be reached."""
    code = error.code if isinstance(error, AdapterError) else type(error).__name__
    return f"{one.name} does not answer ({code}). It is asked again every half minute."


def _start_text(one: Running, error: Exception) -> str:
    """Return the sentence for an instance that could not start."""
    if isinstance(error, AdapterError):
        return f"{one.name} could not start: {error} It is tried again by itself."
    return (
        f"{one.name} failed while starting ({type(error).__name__}). It is tried again by "
        "itself; the log has the details for its author."
    )
