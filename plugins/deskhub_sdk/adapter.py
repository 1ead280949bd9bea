"""The class an adapter's entry point names: what it is, what it may do, how it lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from deskhub_sdk.actions import ActionSpec
from deskhub_sdk.context import Context
from deskhub_sdk.records import Health, Record
from deskhub_sdk.steps import Step

SDK_VERSION = "1.0"


class Config(BaseModel):
    """Base of an adapter's settings: settings, form and JSON Schema in one.

    Unknown settings are refused. Use `pydantic.SecretStr` for secrets: hub.toml may then
    only refer to them (``{ env = "…" }``, ``{ file = "…" }``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class Permissions(Record, frozen=True):
    """What an adapter asks for; the admin sees it in plain words before enabling.

    *net* lists origins; ``{config.base_url}`` stands for a setting. *reads* names record
    fields (``customer.email``), *writes* what it may change (``message``, ``note``, ``card``,
    ``assign``, ``tag``, ``link``, and ``conversation``: open one and speak for whoever wrote
    from outside). *sockets* is for the few who must bring their own network client; everybody
    else goes out through ``ctx.http`` and can open no connection.
    """

    net: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    sockets: bool = False


class Meta(Record, frozen=True):
    """Who an adapter is. *sdk* is the range of contract versions it was written for."""

    id: str
    name: str
    sdk: str
    summary: str = ""
    permissions: Permissions = Permissions()
    max_batch: int = 100
    texts: Mapping[str, Mapping[str, str]] = {}


C = TypeVar("C", bound=Config)


class Adapter(Generic[C]):
    """Base of adapters. The hub makes one object for each configured instance.

    `start` runs once before any hook, `stop` once after the last. Both run in the hub's
    process or in the adapter's own; an adapter cannot tell and must not care.
    """

    meta: ClassVar[Meta]
    config_model: ClassVar[type[Config]] = Config
    steps: ClassVar[tuple[type[Step], ...]] = ()
    actions: ClassVar[tuple[ActionSpec, ...]] = ()

    def __init__(self, config: C) -> None:
        """Keep the checked settings; nothing may be opened before `start`."""
        self.config = config
        self.ctx: Context

    async def start(self, ctx: Context) -> None:
        """Take the context. May raise `NotReady`, `AuthRequired` or `ConfigInvalid`."""
        self.ctx = ctx

    async def stop(self) -> None:
        """Free what `start` took beyond the context; the context frees itself."""

    async def check_connection(self) -> Health:
        """Say whether the far side answers with these settings. Deadline: 5 s."""
        return Health(ok=True, text="", checked_at=self.ctx.clock.now())


def capabilities_of(adapter: type[Adapter[Any]]) -> Mapping[str, tuple[str, ...]]:
    """Return each capability that *adapter* has, with the methods that carry it."""
    found: dict[str, list[str]] = {}
    for name in dir(adapter):
        mark = getattr(getattr(adapter, name), "__deskhub_capability__", None)
        if mark:
            found.setdefault(mark, []).append(name)
    return {mark: tuple(sorted(names)) for mark, names in sorted(found.items())}


Simulate = Callable[[], Any]
