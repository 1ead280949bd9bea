"""The worker's life: confine itself, import the adapter, answer the hub, end with it."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from deskhub_sdk.adapter import Adapter
from deskhub_sdk.errors import ConfigInvalid
from deskhub_sdk.manifest import asked_by, decode_manifest, differences, hooks_in, import_entry
from deskhub_sdk.steps import Step
from deskhub_sdk.worker.cage import NotAllowed, confine
from deskhub_sdk.worker.context import WorkerContext
from deskhub_sdk.worker.failures import place_of
from deskhub_sdk.worker.frames import Ask, Tell, raw
from deskhub_sdk.worker.heart import Heart
from deskhub_sdk.worker.peer import Peer
from deskhub_sdk.worker.wire import (
    CHECK_SHAPE,
    STEP_SHAPES,
    capability_shape,
    card_problem,
    decode,
    hook_shape,
)

EXIT_MEMORY = 81


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's first word: which adapter, as whom, with which settings and bounds."""

    entry: str
    instance: str
    tenant: str
    language: str
    config: dict[str, Any]
    manifest: bytes
    memory: int
    folder: str
    paths: tuple[str, ...] = ()


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's answer: the layers that hold, and where manifest and class differ."""

    layers: tuple[str, ...]
    differences: tuple[str, ...] = ()


async def serve(connection: socket.socket) -> int:
    """Answer the hub at the other end of *connection* until it ends; return the exit code."""
    faulthandler.enable()
    worker = Worker()
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: worker.peer, sock=connection)
    async with asyncio.TaskGroup() as group:
        heart = group.create_task(Heart().run(), name="heart")
        await worker.peer.closed.wait()
        heart.cancel()
    await worker.close()
    return EXIT_MEMORY if isinstance(worker.why, MemoryError) else 0


class Worker:
    """One adapter object and everything the hub may ask of it."""

    def __init__(self) -> None:
        """Wait for the hub's first word."""
        self.peer = Peer(self._answer, self._told, self._lost)
        self.why: Exception | None = None
        self._adapter: Adapter[Any] | None = None
        self._context: WorkerContext | None = None
        self._steps: dict[str, Step] = {}
        self._hooks: dict[str, tuple[str, tuple[str, ...]]] = {}

    async def close(self) -> None:
        """Free what the adapter held."""
        if self._context is not None:
            await self._context.close()

    async def _answer(self, ask: Ask) -> msgspec.Raw:
        try:
            return await self._dispatch(ask)
        except NotAllowed as error:
            self.peer.tell("fault", f"{error} at {place_of(error)}")
            raise
        except MemoryError:
            os._exit(EXIT_MEMORY)

    async def _dispatch(self, ask: Ask) -> msgspec.Raw:
        kind, _, rest = ask.target.partition(":")
        match kind:
            case "begin":
                return raw(self._begin(decode(ask.arguments, tuple[Begin])[0]))
            case "start":
                await self._start()
                return raw(None)
            case "stop":
                await self._ready().stop()
                return raw(None)
            case "ping":
                return raw(None)
            case "check":
                return CHECK_SHAPE.encode_answer(await self._ready().check_connection())
            case "hook":
                return await self._hook(rest, ask.arguments)
            case "capability":
                return await self._capability(rest, ask.arguments)
            case "step":
                return await self._step(rest, ask.arguments)
        raise LookupError(ask.target)

    def _begin(self, begin: Begin) -> Begun:
        """Confine this process, then import and check the adapter."""
        manifest = decode_manifest(begin.manifest)
        sys.path[:0] = begin.paths
        os.chdir(begin.folder)
        layers = confine(
            memory=begin.memory,
            folder=Path(begin.folder),
            readable=[*sys.path, sys.prefix, sys.base_prefix],
            sockets=manifest.permissions.sockets,
        )
        cls = import_entry(begin.entry)
        try:
            config = cls.config_model.model_validate(begin.config)
        except ValidationError as error:
            raise ConfigInvalid(_settings_text(error)) from None
        secrets = {
            name: value.get_secret_value()
            for name in cls.config_model.model_fields
            if hasattr(value := getattr(config, name), "get_secret_value")
        }
        self._context = WorkerContext(
            self.peer, instance=begin.instance, tenant=begin.tenant,
            language=begin.language, secrets=secrets,
        )  # fmt: skip
        _forward_logs(self.peer)
        self._adapter = cls(config)
        self._adapter.ctx = self._context
        self._hooks = {
            hook: (function.__name__, asked_by(function)) for hook, function in hooks_in(cls)
        }
        return Begun(layers=layers, differences=tuple(differences(manifest, cls)))

    async def _start(self) -> None:
        adapter = self._ready()
        assert self._context is not None  # noqa: S101  `begin` made both
        await adapter.start(self._context)
        self._steps = {step.spec.name: step(adapter) for step in type(adapter).steps}

    async def _hook(self, hook: str, arguments: msgspec.Raw) -> msgspec.Raw:
        adapter = self._ready()
        method, names = self._hooks[hook]
        shape = hook_shape(hook)
        answer = await getattr(adapter, method)(*shape.decode_arguments(arguments, names))
        self._say_broken_cards(hook, answer)
        return shape.encode_answer(answer)

    async def _capability(self, target: str, arguments: msgspec.Raw) -> msgspec.Raw:
        capability, _, method = target.partition(":")
        shape = capability_shape(capability, method)
        function = getattr(self._ready(), method)
        values = shape.decode_arguments(arguments, list(shape.arguments))
        return shape.encode_answer(await function(*values))

    async def _step(self, target: str, arguments: msgspec.Raw) -> msgspec.Raw:
        name, _, method = target.partition(":")
        shape = STEP_SHAPES[method]
        values = shape.decode_arguments(arguments, list(shape.arguments))
        return shape.encode_answer(await getattr(self._steps[name], method)(*values))

    def _say_broken_cards(self, hook: str, answer: object) -> None:
        if hook not in ("conversation_cards", "signal_card"):
            return
        cards = answer if isinstance(answer, list | tuple) else [answer] if answer else []
        for problem in filter(None, map(card_problem, cards)):
            self.peer.tell("log", logging.ERROR, "card_refused", {"problem": problem})

    def _ready(self) -> Adapter[Any]:
        if self._adapter is None:
            raise LookupError("the adapter was not begun")
        return self._adapter

    def _told(self, tell: Tell) -> None:
        if tell.target == "forget" and self._context is not None:
            self._context.forget_loaded()

    def _lost(self, why: Exception | None) -> None:
        self.why = why


class _ToHub(logging.Handler):
    """Sends log records to the hub: event name and fields, never a traceback's values."""

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self._peer = peer

    def emit(self, record: logging.LogRecord) -> None:
        """Send *record*; what is not plain is sent as its text."""
        fields = {
            name: value if isinstance(value, str | int | float | bool) else str(value)
            for name, value in record.__dict__.items()
            if name not in _STANDARD
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = type(record.exc_info[1]).__name__
            fields["place"] = place_of(record.exc_info[1])
        self._peer.tell("log", record.levelno, record.getMessage()[:500], fields)


_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "taskName"}


def _forward_logs(peer: Peer) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_ToHub(peer)]
    root.setLevel(logging.INFO)


def _settings_text(error: ValidationError) -> str:
    """Return what is wrong with the settings, without their values."""
    found = error.errors(include_input=False)
    return "; ".join(f"{_path(one['loc'])}: {one['msg']}" for one in found)


def _path(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place) or "(all)"
