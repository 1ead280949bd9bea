"""The bench an adapter is put on: found from its folder, started against its simulator."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from deskhub_sdk.adapter import Adapter
from deskhub_sdk.context import Context
from deskhub_sdk.manifest import Manifest, import_entry, manifest_of
from deskhub_sdk.testing.context import GivenContext, given_context
from deskhub_sdk.testing.kit.apart import Apart
from deskhub_sdk.testing.kit.ask import Asking
from deskhub_sdk.testing.kit.rules import Broken, NotApplicable
from deskhub_sdk.testing.simulator import Simulator
from deskhub_sdk.worker.wire import card_problem

TOKEN = "kit-canary-token-5f1c"  # noqa: S105  made up, and looked for everywhere
TIMEOUT_S = 0.8
__all__ = ["Bench", "KitFailed", "Rig", "card_problem"]


class KitFailed(Exception):
    """The folder cannot be tested at all; the text says why."""


@dataclass(slots=True)
class Rig:
    """An adapter that runs, with its context and the system behind it."""

    adapter: Adapter[Any]
    ctx: GivenContext
    simulator: Simulator
    ask: Asking

    def fault(self, kind: str, *, match: str = "*", times: int = 0, **more: Any) -> None:  # noqa: ANN401
        """Let the system fail from now on."""
        self.simulator.faults.add({"kind": kind, "match": match, "times": times, **more})

    def mend(self) -> None:
        """Let the system work again."""
        self.simulator.faults.clear()

    @property
    def effects(self) -> dict[str, int]:
        """Return what changed at the system so far, by kind."""
        return {kind: sum(keys.values()) for kind, keys in self.simulator.effects.items()}


@dataclass(frozen=True)
class Bench:
    """One adapter's package, and how to run it."""

    folder: Path
    cls: type[Adapter[Any]]
    entry: str
    version: str
    package: Path
    simulated: type[Simulator] | None

    @classmethod
    def at(cls, folder: Path) -> Bench:
        """Find the adapter whose pyproject.toml stands in *folder*. Raises `KitFailed`."""
        file = folder / "pyproject.toml"
        if not file.is_file():
            raise KitFailed(f"there is no pyproject.toml in {folder}")
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        project = document.get("project", {})
        points = project.get("entry-points", {}).get("deskhub.adapters", {})
        if len(points) != 1:
            raise KitFailed(f"{file} names no adapter in [project.entry-points]")
        ((_, entry),) = points.items()
        source = folder / "src" if (folder / "src").is_dir() else folder
        if str(source) not in sys.path:
            sys.path.insert(0, str(source))
        try:
            found = import_entry(entry)
        except Exception as error:
            raise KitFailed(f"{entry} cannot be imported: {error!r}") from error
        package = source / entry.partition(":")[0].partition(".")[0]
        named = document.get("tool", {}).get("deskhub", {}).get("simulator")
        version = str(project.get("version", "0"))
        return cls(folder, found, entry, version, package, _simulator(package.name, named))

    @property
    def reaches_out(self) -> bool:
        """Return whether it has a far side: over the hub's way out, or by its own client."""
        permissions = self.cls.meta.permissions
        return bool(permissions.net) or permissions.sockets

    @property
    def manifest(self) -> Manifest:
        """Return the manifest that the class makes."""
        return manifest_of(self.cls, entry=self.entry, version=self.version)

    def settings(self, simulator: Simulator, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return settings for *simulator*, with those of *more* in place of its own."""
        return {**simulator.settings(), **more}

    def config(self, settings: Mapping[str, Any]) -> Any:  # noqa: ANN401  the adapter's own model
        """Return *settings* as the adapter's model."""
        return self.cls.config_model.model_validate(dict(settings))

    def simulator(self) -> Simulator:
        """Return a fresh system. Raises `Broken` when the package has none."""
        if self.simulated is None:
            raise Broken(
                "there is no simulator to drive the adapter against",
                fix="name a subclass of deskhub_sdk.testing.Simulator in [tool.deskhub]"
                " simulator, or put it into the package's module simulator",
                where=self.folder / "pyproject.toml",
            )
        try:
            return self.simulated.guarded(TOKEN)
        except TypeError as error:
            raise Broken(
                f"the simulator cannot be made: {error}", where=self.simulated
            ) from error

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Simulator]:
        """Yield a system that serves."""
        async with self.simulator().serving() as simulator:
            yield simulator

    @asynccontextmanager
    async def rig(self, *, instance: str = "kit", **settings: Any) -> AsyncIterator[Rig]:  # noqa: ANN401
        """Yield the adapter started inline against a fresh system."""
        async with (
            self.system() as simulator,
            given_context(
                instance=instance,
                timeout_s=TIMEOUT_S,
                secrets=secrets_in(self.settings(simulator, **settings), self.cls),
            ) as ctx,
        ):
            adapter = self.cls(self.config(self.settings(simulator, **settings)))
            await adapter.start(as_context(ctx))
            rig = Rig(adapter, ctx, simulator, Asking(self.manifest, simulator.world, adapter))
            try:
                yield rig
            finally:
                await adapter.stop()

    @asynccontextmanager
    async def apart(self, simulator: Simulator) -> AsyncIterator[Asking]:
        """Yield the adapter started in a process of its own against *simulator*."""
        async with (
            given_context(instance="kit", timeout_s=TIMEOUT_S) as ctx,
            Apart(self.manifest, self.settings(simulator), ctx, self.package.parent) as apart,
        ):
            yield Asking(self.manifest, simulator.world, apart)

    def needs(self, *, hook: str = "", steps: bool = False, capabilities: bool = False) -> None:
        """Return when the adapter has what a rule is about. Raises `NotApplicable`."""
        if hook and hook not in self.manifest.hooks:
            raise NotApplicable(f"it has no {hook}")
        if steps and not self.manifest.steps:
            raise NotApplicable("it takes part in no action")
        if capabilities and not self.manifest.capabilities:
            raise NotApplicable("it has no capability")


def secrets_in(settings: Mapping[str, Any], cls: type[Adapter[Any]]) -> dict[str, str]:
    """Return the secret ones among *settings*."""
    fields = cls.config_model.model_fields
    return {
        name: str(value)
        for name, value in settings.items()
        if name in fields and "SecretStr" in str(fields[name].annotation)
    }


def _simulator(package: str, named: str | None) -> type[Simulator] | None:
    """Return the simulator that is *named*, or the one in the package's own module."""
    if named is not None:
        module, _, name = named.partition(":")
        found: type[Simulator] = getattr(importlib.import_module(module), name)
        return found
    try:
        own = importlib.import_module(f"{package}.simulator")
    except ImportError:
        return None
    for value in vars(own).values():
        if inspect.isclass(value) and issubclass(value, Simulator) and value is not Simulator:
            return value
    return None


def as_context(given: GivenContext) -> Context:
    """Return *given* as the context it stands for; its parts show more than the contract's."""
    return cast("Context", given)


def state_of(simulator: Simulator) -> Any:  # noqa: ANN401  JSON
    """Return a copy of the system's own state."""
    return msgspec.json.decode(msgspec.json.encode(simulator.dump()))


async def settled() -> None:
    """Give everything that is ready a turn."""
    for _ in range(5):
        await asyncio.sleep(0)


class Heard(logging.Handler):
    """Keeps every log line, to look for what must not be in one."""

    def __init__(self) -> None:
        """Hear everything."""
        super().__init__(level=logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message and all its fields."""
        fields = {k: v for k, v in record.__dict__.items() if k not in ("msg", "args")}
        self.lines.append(f"{record.getMessage()} {fields}")
