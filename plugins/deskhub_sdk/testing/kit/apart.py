"""An adapter in a process of its own without a hub: the given context answers its calls."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from deskhub_sdk.channel import PART_BYTES, Said, SaidFile
from deskhub_sdk.hooks import SPECS
from deskhub_sdk.manifest import Manifest, encode_manifest
from deskhub_sdk.records import Health, Signal
from deskhub_sdk.steps import Fact, Preview, Refusal, StepCall, StepSpec
from deskhub_sdk.testing.context import GivenContext
from deskhub_sdk.worker.frames import Ask, Tell, raw
from deskhub_sdk.worker.peer import Peer
from deskhub_sdk.worker.serve import Begin, Begun
from deskhub_sdk.worker.wire import (
    CHECK_SHAPE,
    STEP_SHAPES,
    Shape,
    capability_shape,
    decode,
    encode,
    encode_arguments,
    hook_shape,
)

MEMORY = 256 * 1024 * 1024
END_S = 5.0


class Apart:
    """Answers like the adapter itself; leaving it ends the process."""

    def __init__(
        self, manifest: Manifest, settings: Mapping[str, Any], ctx: GivenContext, source: Path
    ) -> None:
        """Run the adapter of *manifest* with *settings*, imported from *source*."""
        self._manifest = manifest
        self._settings = dict(settings)
        self._ctx = ctx
        self._source = source
        self._peer = Peer(self._answer, self._told, lambda _: None)
        self._process: asyncio.subprocess.Process | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="deskhub-kit-")
        self.begun = Begun(layers=())
        self.heard: list[str] = []
        self._parts: dict[tuple[str, int], bytearray] = {}

    async def __aenter__(self) -> Self:
        """Start process and adapter. Raises what the adapter's start raises."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003  its only form
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-X",
            "utf8",
            "-m",
            "deskhub_sdk.worker",
            str(theirs.fileno()),
            str(os.getpid()),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            env={"LANG": "C.UTF-8"},
            start_new_session=True,
        )
        theirs.close()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self._peer, sock=ours)
        try:
            begin = Begin(
                entry=self._manifest.entry,
                instance="kit",
                tenant="main",
                language="en",
                config=self._settings,
                manifest=encode_manifest(self._manifest),
                memory=MEMORY,
                folder=self._folder.name,
                paths=(str(self._source),),
            )
            self.begun = decode(await self._peer.ask("begin", begin), Begun)
            await self._peer.ask("start")
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the adapter, then the process."""
        try:
            if not self._peer.closed.is_set():
                await self._peer.ask("stop", deadline_s=END_S)
        finally:
            await self._end()

    async def check_connection(self) -> Health:
        """Ask the adapter how its far side is."""
        health: Health = await self._ask("check", (), CHECK_SHAPE)
        return health

    def step_named(self, spec: StepSpec) -> _Step:
        """Return the stand-in of a step."""
        return _Step(self, spec)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  a hook or a capability's method
        """Return the stand-in of the hook or method *name*."""
        if name in self._manifest.hooks and name in SPECS:
            return self._caller(f"hook:{name}", hook_shape(name))
        for capability, methods in self._manifest.capabilities.items():
            if name in methods:
                shape = capability_shape(capability, name)
                return self._caller(f"capability:{capability}:{name}", shape)
        raise AttributeError(name)

    def _caller(self, target: str, shape: Shape) -> Any:  # noqa: ANN401
        async def call(*values: object) -> Any:  # noqa: ANN401
            return await self._ask(target, values, shape)

        return call

    async def _ask(self, target: str, values: Sequence[object], shape: Shape) -> Any:  # noqa: ANN401
        return shape.decode_answer(await self._peer.ask_raw(target, encode_arguments(values)))

    async def _answer(self, ask: Ask) -> msgspec.Raw:
        """Answer the adapter's call with the given context."""
        part, _, name = ask.target.partition(".")
        arguments: list[Any] = decode(ask.arguments, list[Any])
        if part == "emit":
            await self._ctx.emit(decode(ask.arguments, tuple[Signal])[0])
            return raw(None)
        if part == "http":
            method, url, data, headers, params, repeatable, timeout_s = arguments
            return encode(
                await self._ctx.http.request(
                    method,
                    url,
                    data=data,
                    headers=headers,
                    params=[(k, v) for k, v in params] if params else None,
                    repeatable=repeatable,
                    timeout_s=timeout_s,
                )
            )
        if part == "channel":
            return await self._channel(name, ask)
        if part == "conversations":
            *most, cid = arguments
            await getattr(self._ctx.conversations, name)(*most, cid=cid)
            return raw(None)
        return encode(await getattr(getattr(self._ctx, part), name)(*arguments))

    async def _channel(self, name: str, ask: Ask) -> msgspec.Raw:
        channel = self._ctx.channel
        if name == "part":
            key, number, _, data = decode(ask.arguments, tuple[str, int, int, bytes])
            self._parts.setdefault((key, number), bytearray()).extend(data)
            return raw(None)
        if name == "hear":
            said, named = decode(ask.arguments, tuple[Said, list[tuple[str, int]]])
            files = [
                SaidFile(name=one, data=bytes(self._parts.pop((said.key, number), b"")))
                for number, (one, _) in enumerate(named)
            ]
            return encode(await channel.hear(said, files))
        if name == "read_part":
            id_, file, start = decode(ask.arguments, tuple[str, str, int])
            whole = await channel.read_file(id_, file)
            return encode(whole[start : start + PART_BYTES])
        return encode(await getattr(channel, name)(*decode(ask.arguments, list[Any])))

    def _told(self, tell: Tell) -> None:
        self.heard.append(str(decode(tell.arguments, list[Any])))

    async def _end(self) -> None:
        await self._peer.close()
        if self._process is None:
            return
        try:
            async with asyncio.timeout(END_S):
                await self._process.wait()
        except TimeoutError:
            pass
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._folder.cleanup()


class _Step:
    """A step of an adapter that runs elsewhere."""

    def __init__(self, apart: Apart, spec: StepSpec) -> None:
        self._apart = apart
        self._spec = spec

    async def preview(self, call: StepCall) -> Preview | Refusal:
        answer: Preview | Refusal = await self._ask("preview", call)
        return answer

    async def run(self, call: StepCall) -> Fact:
        fact: Fact = await self._ask("run", call)
        return fact

    async def lookup(self, call: StepCall) -> Fact | None:
        fact: Fact | None = await self._ask("lookup", call)
        return fact

    async def undo(self, call: StepCall, fact: Fact) -> None:
        await self._ask("undo", call, fact)

    async def _ask(self, method: str, *values: object) -> Any:  # noqa: ANN401
        target = f"step:{self._spec.name}:{method}"
        return await self._apart._ask(target, values, STEP_SHAPES[method])  # noqa: SLF001  its own parts
