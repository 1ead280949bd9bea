"""The stand-in of an adapter that runs elsewhere: its declared hooks, capabilities, steps.

The class is made of the manifest alone. The rest of the host cannot tell it from the adapter.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from deskhub.host.context import InstanceContext
from deskhub.host.isolation.calls import ContextCalls
from deskhub.host.isolation.process import WorkerEnded, WorkerProcess
from deskhub.host.isolation.settings import in_clear, settings_model
from deskhub_sdk import (
    SPECS,
    Adapter,
    AdapterError,
    Config,
    Context,
    Fact,
    Health,
    Hooks,
    Meta,
    Preview,
    Refusal,
    Step,
    StepCall,
    StepSpec,
    capability,
    hookimpl,
)
from deskhub_sdk.manifest import Manifest, encode_manifest
from deskhub_sdk.worker.serve import Begin, Begun
from deskhub_sdk.worker.wire import (
    CHECK_SHAPE,
    STEP_SHAPES,
    Shape,
    capability_shape,
    decode,
    encode_arguments,
    hook_shape,
)

# The worker's own deadline is the last resort; the hub stops waiting before.
SLACK_S = 12.0
READ_S = 5.0
CHECK_S = 5.0
STOP_S = 3.0
GONE_S = 2.0


class Incompatible(AdapterError):
    """The adapter is not what its manifest says; it has to be built again."""

    code = "incompatible"


class RemoteAdapter(Adapter[Config]):
    """Base of stand-ins. *on_end* learns when the process ended, *on_fault* what it tried."""

    manifest: ClassVar[Manifest]
    paths: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Config) -> None:
        """Keep the settings for the worker."""
        super().__init__(config)
        self.on_end: Callable[[WorkerEnded], None] = lambda _: None
        self.on_fault: Callable[[str], None] = lambda _: None
        self.layers: tuple[str, ...] = ()
        self.worker: WorkerProcess | None = None
        self._running = False

    async def start(self, ctx: Context) -> None:
        """Start the process and the adapter in it.

        Raises what the adapter's start raises, `WorkerEnded` when it did not survive that,
        `Incompatible` when manifest and class differ.
        """
        assert isinstance(ctx, InstanceContext)  # noqa: S101  made by the host
        await super().start(ctx)
        calls = ContextCalls(ctx, self._faulted)
        worker = WorkerProcess(
            ctx.instance, memory=ctx.memory, folder=ctx.folder, on_end=self._ended
        )
        self.worker = worker
        try:
            await worker.start(calls.answer, calls.told, ctx.tasks)
            begun: Begun = decode(await worker.peer.ask("begin", self._begin(ctx)), Begun)
            if begun.differences:
                raise Incompatible(
                    "its manifest is not that of its class; build it again. "
                    + "; ".join(begun.differences)
                )
            self.layers = begun.layers
            worker.watch_pulse(ctx.tasks)
            await worker.peer.ask("start")
            self._running = True
            ctx.also_forget = lambda: worker.peer.tell("forget")
        except BaseException as error:
            over = worker.pid and await _over(worker, error)
            await worker.stop()
            if over:
                raise worker.reason from error
            raise

    async def stop(self) -> None:
        """Let the adapter free what it holds, then end its process and children."""
        worker, self.worker = self.worker, None
        if worker is None:
            return
        try:
            if self._running and not worker.ended.is_set():
                await worker.peer.ask("stop", deadline_s=STOP_S)
        finally:
            await worker.stop()

    async def check_connection(self) -> Health:
        """Ask the adapter how its far side is."""
        answer: Health = await self.ask("check", (), CHECK_SHAPE, CHECK_S)
        return answer

    async def why_over(self, error: BaseException) -> WorkerEnded | None:
        """Return why the process ended, when *error* only says that it did."""
        worker = self.worker
        if worker is None or not await _over(worker, error):
            return None
        return worker.reason

    async def ask(
        self, target: str, values: Sequence[object], shape: Shape, deadline_s: float
    ) -> Any:  # noqa: ANN401  the shape says
        """Return the worker's answer to *target* as records."""
        if self.worker is None:
            raise WorkerEnded("is stopped")
        peer = self.worker.peer
        arguments = encode_arguments(values)
        data = await peer.ask_raw(target, arguments, deadline_s=deadline_s + SLACK_S)
        return shape.decode_answer(data)

    def _begin(self, ctx: InstanceContext) -> Begin:
        return Begin(
            entry=self.manifest.entry,
            instance=ctx.instance,
            tenant=ctx.tenant,
            language=ctx.language,
            config=in_clear(self.config),
            manifest=encode_manifest(self.manifest),
            memory=ctx.memory,
            folder=str(ctx.folder),
            paths=self.paths,
        )

    def _faulted(self, what: str) -> None:
        self.on_fault(what)

    def _ended(self, why: WorkerEnded) -> None:
        if self._running:
            self._running = False
            self.on_end(why)


class RemoteStep(Step):
    """Base of the stand-ins of steps."""

    adapter: RemoteAdapter

    async def preview(self, call: StepCall) -> Preview | Refusal:
        """Ask the worker."""
        answer: Preview | Refusal = await self._ask("preview", call)
        return answer

    async def run(self, call: StepCall) -> Fact:
        """Ask the worker."""
        fact: Fact = await self._ask("run", call)
        return fact

    async def lookup(self, call: StepCall) -> Fact | None:
        """Ask the worker."""
        fact: Fact | None = await self._ask("lookup", call)
        return fact

    async def undo(self, call: StepCall, fact: Fact) -> None:
        """Ask the worker."""
        await self._ask("undo", call, fact)

    async def _ask(self, method: str, *values: object) -> Any:  # noqa: ANN401
        target = f"step:{self.spec.name}:{method}"
        return await self.adapter.ask(target, values, STEP_SHAPES[method], self.spec.timeout_s)


def proxy_class(manifest: Manifest, paths: Sequence[str] = ()) -> type[RemoteAdapter]:
    """Return the stand-in for the adapter of *manifest*, to be imported from *paths*."""
    members: dict[str, Any] = {
        "meta": Meta(
            id=manifest.id, name=manifest.name, sdk=manifest.sdk, summary=manifest.summary,
            permissions=manifest.permissions, max_batch=manifest.limits.max_batch,
            texts=manifest.texts,
        ),
        "manifest": manifest,
        "paths": tuple(paths),
        "config_model": settings_model(manifest),
        "steps": tuple(_step(spec) for spec in manifest.steps),
        "actions": manifest.actions,
        "__deskhub_place__": manifest.entry,
    }  # fmt: skip
    for hook, asked in manifest.hooks.items():
        members[hook] = _hook(hook, asked, manifest.entry)
    for name, methods in manifest.capabilities.items():
        for method in methods:
            members[method] = _method(name, method)
    return type(manifest.entry.rpartition(":")[2], (RemoteAdapter,), members)


def _hook(hook: str, asked: Sequence[str], entry: str) -> Callable[..., Any]:
    spec = SPECS.get(hook)

    offered = tuple(hook_shape(hook).arguments) if spec is not None else ()
    wanted = [offered.index(name) for name in asked if name in offered]

    async def call(self: RemoteAdapter, *values: object) -> Any:  # noqa: ANN401
        deadline_s = spec.deadline_s if spec is not None else READ_S
        own = [values[place] for place in wanted]
        return await self.ask(f"hook:{hook}", own, hook_shape(hook), deadline_s)

    call.__name__ = hook
    if spec is not None:
        # pluggy reads names from code: it offers everything, the adapter gets what it asked.
        call.__wrapped__ = getattr(Hooks, hook)  # type: ignore[attr-defined]
    call.__signature__ = _signature(asked)  # type: ignore[attr-defined]  # read by inspect
    call.__deskhub_place__ = f"{entry}.{hook}"  # type: ignore[attr-defined]  # read by discovery
    return hookimpl(call)


def _method(name: str, method: str) -> Callable[..., Any]:
    shape = capability_shape(name, method)

    async def call(self: RemoteAdapter, *values: object) -> Any:  # noqa: ANN401
        return await self.ask(f"capability:{name}:{method}", values, shape, READ_S)

    call.__name__ = method
    return capability(name)(call)


def _step(spec: StepSpec) -> type[Step]:
    return type(spec.name, (RemoteStep,), {"spec": spec})


def _signature(asked: Sequence[str]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in ("self", *asked)])


async def _over(worker: WorkerProcess, error: BaseException) -> bool:
    """Return whether *error* only says that the process ended; wait a moment to know why."""
    if not isinstance(error, AdapterError) or not worker.peer.closed.is_set():
        return False
    try:
        async with asyncio.timeout(GONE_S):
            await worker.ended.wait()
    except TimeoutError:
        return False
    return True
