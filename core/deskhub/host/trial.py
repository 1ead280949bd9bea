"""Settings that nobody has saved, tried: a throw-away instance in a confined process.

It has its adapter's own way out of the hub and nothing more. It cannot reach a conversation,
what it keeps is forgotten with it, and its folder is removed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from time import perf_counter

from deskhub.chat.commands import ChatCommand
from deskhub.chat.service import Receipt
from deskhub.clock import Clock
from deskhub.config import Config, Instance
from deskhub.config import Problem as FileProblem
from deskhub.errors import Busy, Forbidden
from deskhub.host.asked import AWAY, REFUSED
from deskhub.host.context import Contexts
from deskhub.host.errors import TooLate
from deskhub.host.held import Held, begin
from deskhub.host.host import made
from deskhub.host.isolation.process import WorkerEnded
from deskhub.host.isolation.proxy import Incompatible, RemoteAdapter
from deskhub.host.ports import HostPorts
from deskhub.host.problems import Problem
from deskhub.host.running import Running, auth_text
from deskhub.host.tasks import TaskOwner
from deskhub.identity.model import Principal
from deskhub.log import without_secrets
from deskhub_sdk import (
    AdapterError,
    AuthRequired,
    ConfigInvalid,
    Health,
    OutcomeUnknown,
    Seat,
    Signal,
)

# One at a time: a trial is a process, and a browser asks as often as somebody clicks.
TURN_S = 5.0
CHECK_S = 5.0
END_S = 3.0
KEPT_MAX = 100

WRONG, BROKEN, ENDED = "DH202", "DH509", "DH413"
FIXES: Mapping[str, str] = {
    AWAY: "Check its address and that the system runs, then test again.",
    REFUSED: "Put its credentials in order, then test again.",
    WRONG: "Correct the setting, then test again.",
    BROKEN: "Build the adapter again and install it.",
    ENDED: "Its author must look at it; the log says where it stood.",
}

# Of the file, or of the adapter with its settings.
AnyProblem = FileProblem | Problem

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """How a trial went: *code*, *text* and *fix* say what is wrong, *ms* how long it took.

    *problems* is everything that keeps the settings from being tried at all.
    """

    ok: bool
    text: str
    ms: float = 0.0
    code: str = ""
    fix: str = ""
    layers: tuple[str, ...] = ()
    problems: tuple[AnyProblem, ...] = ()


class Trials:
    """Tries settings, one instance at a time."""

    def __init__(
        self, config: Config, clock: Clock, points: Callable[[], Mapping[str, EntryPoint]]
    ) -> None:
        """Take adapters from *points*; the trial's folder is in *config*'s data folder."""
        self._clock = clock
        self._points = points
        self._config = config
        # The same name each time, so that nothing that counts by instance grows.
        self._name = f"~trial-{os.getpid()}"
        self._folder = config.data_dir.absolute() / "workers" / self._name
        self._turn = asyncio.Lock()

    async def run(self, settings: Instance) -> Tried:
        """Start *settings* in a process, ask its far side, and end it; raises only `Busy`.

        It takes at most 10 s to start, 5 s to answer and a few to end.
        """
        try:
            async with asyncio.timeout(TURN_S):
                await self._turn.acquire()
        except TimeoutError as error:
            raise Busy("another trial is under way", after_ms=5_000) from error
        try:
            return await self._tried(settings)
        finally:
            self._turn.release()

    async def _tried(self, settings: Instance) -> Tried:
        wanted = settings.model_copy(update={"enabled": True, "isolation": "process"})
        points = self._points()
        # It may import an adapter that has no manifest.
        found = await asyncio.to_thread(made, wanted, points, self._clock)
        if found.problems:
            return refused(found.problems)
        trial = wanted.model_copy(update={"id": self._name})
        one = await asyncio.to_thread(made, trial, points, self._clock)
        return await self._asked(one)

    async def _asked(self, one: Running) -> Tried:
        """Start *one* and ask it how its far side is."""
        ports = HostPorts(_NoChat(), _Kept(), _NoSeats(), _drop)
        contexts = Contexts(self._config, self._clock, ports)
        owner = TaskOwner()
        started = perf_counter()
        try:
            held = await begin(
                one, contexts, owner, on_end=lambda _: None, on_fault=lambda _: None
            )
            try:
                health = await _health(owner, held)
            finally:
                ms = _since(started)
                await held.end()
            if not health.ok:
                text = health.text or f"{one.name} reports a problem."
                return _failed(AWAY, text, ms, held.layers)
            return Tried(ok=True, text=without_secrets(health.text), ms=ms, layers=held.layers)
        except Exception as error:  # noqa: BLE001  an adapter may raise anything; it is the answer
            return _why(one, error, _since(started))
        finally:
            await owner.close(END_S)
            await asyncio.to_thread(_removed, self._folder)


def refused(problems: Sequence[AnyProblem]) -> Tried:
    """Return the outcome of settings that cannot even be tried."""
    first = problems[0]
    return Tried(
        ok=False, text=sentence(first.what), code=first.code, fix=sentence(first.fix),
        problems=tuple(problems),
    )  # fmt: skip


async def _health(owner: TaskOwner, held: Held) -> Health:
    try:
        return await owner.bounded(held.adapter.check_connection, CHECK_S, name="trial:check")
    except AdapterError as error:
        adapter = held.adapter
        ended = await adapter.why_over(error) if isinstance(adapter, RemoteAdapter) else None
        raise ended or error from error


def _why(one: Running, error: Exception, ms: float) -> Tried:
    """Return what *error* means to whoever tried these settings."""
    match error:
        case AuthRequired():
            return _failed(REFUSED, auth_text(one.name, error), ms)
        case ConfigInvalid():
            return _failed(WRONG, f"{one.name} cannot work with these settings: {error}", ms)
        case Incompatible():
            return _failed(BROKEN, f"{one.name} cannot run here: {error}", ms)
        case WorkerEnded():
            return _failed(ENDED, f"{one.name} {error}.", ms)
        case TooLate():
            return _failed(AWAY, f"{one.name} did not answer in time.", ms)
        case OutcomeUnknown():
            # What the contract does not know: its class and its place in the adapter.
            return _failed(ENDED, f"{one.name} failed: {error}.", ms)
        case AdapterError():
            return _failed(AWAY, f"{one.name} could not start: {error}", ms)
    log.warning("trial_failed", extra={"adapter": one.use}, exc_info=error)
    return _failed(ENDED, f"{one.name} failed: {type(error).__name__}.", ms)


def _failed(code: str, text: str, ms: float, layers: tuple[str, ...] = ()) -> Tried:
    return Tried(
        ok=False, text=without_secrets(text), ms=ms, code=code, fix=FIXES[code], layers=layers
    )


def _since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 1)


def sentence(text: str) -> str:
    """Return *text* as a person reads it; a command stays as it is typed."""
    text = text.rstrip(".")
    if not text or text.startswith("deskhub "):
        return text
    return f"{text[:1].upper()}{text[1:]}."


def _removed(folder: os.PathLike[str]) -> None:
    with suppress(OSError):
        shutil.rmtree(folder)


class _NoChat:
    """Chats for somebody who may not have any."""

    async def do(self, principal: Principal, command: ChatCommand, *, cid: str) -> Receipt:
        del principal, command, cid
        raise Forbidden("a trial changes nothing")


class _Kept:
    """Durable values for as long as the trial lasts."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str, str], bytes] = {}

    async def get(self, tenant: str, instance: str, key: str) -> bytes | None:
        return self._values.get((tenant, instance, key))

    async def put(self, tenant: str, instance: str, key: str, value: bytes) -> None:
        if len(self._values) >= KEPT_MAX:
            self._values.clear()
        self._values[tenant, instance, key] = value

    async def delete(self, tenant: str, instance: str, key: str) -> None:
        self._values.pop((tenant, instance, key), None)


class _NoSeats:
    """A desk where nobody sits."""

    async def online(self, tenant: str, inbox: str) -> Sequence[Seat]:
        del tenant, inbox
        return ()

    async def name_of(self, tenant: str, agent: str) -> str | None:
        del tenant, agent
        return None

    async def waiting(self, tenant: str, inbox: str) -> Sequence[str]:
        del tenant, inbox
        return ()


async def _drop(tenant: str, instance: str, signal: Signal) -> None:
    del tenant, instance, signal
