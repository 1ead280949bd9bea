"""One instance while the hub runs: what it is, how it feels, and why, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from deskhub.clock import Clock
from deskhub.config import Instance, Limits
from deskhub.host.errors import NotRunning
from deskhub.host.guard import Guard
from deskhub.host.problems import Problem
from deskhub.log import without_secrets
from deskhub_sdk import Adapter, AuthRequired, Config, Health, Meta, Step, capabilities_of

Life = Literal[
    "discovered", "validated", "starting", "ready", "degraded", "draining", "stopped",
    "disabled", "config_invalid", "auth_required", "backoff", "incompatible", "quarantined",
]  # fmt: skip


class Running:
    """One configured instance. The supervisor moves *life*; everybody else reads.

    *text* says in words what is wrong and who can fix it; *since* is when the present state
    began; *next_try* is set while it waits to be started again. *layers* name what confines
    its own process; without one there are none. *settings* are those of hub.toml that it
    runs with. It stays the same object while hub.toml makes another adapter of it.
    """

    def __init__(
        self,
        id: str,  # noqa: A002  the word of hub.toml
        tenant: str,
        *,
        use: str,
        clock: Clock,
        guard: Guard,
        cls: type[Adapter[Any]] | None = None,
        config: Config | None = None,
        version: str = "",
        hooks: frozenset[str] = frozenset(),
        problems: Sequence[Problem] = (),
        built_in: bool = False,
        settings: Instance | None = None,
    ) -> None:
        """Begin as ``discovered``."""
        self.id = id
        self.tenant = tenant
        self.use = use
        self.cls = cls
        self.config = config
        self.version = version
        self.hooks = hooks
        self.problems = tuple(problems)
        self.built_in = built_in
        self.settings = settings
        self.guard = guard
        self.adapter: Adapter[Any] | None = None
        self.steps: tuple[Step, ...] = ()
        self.text = ""
        self.next_try: datetime | None = None
        self.ready = asyncio.Event()
        self.layers: tuple[str, ...] = ()
        # It ends the runs of actions that have begun, and is in no new one.
        self.is_retiring = False
        self._clock = clock
        self._life: Life = "discovered"
        self._sick: str | None = None
        self._locked_out: str | None = None
        self.since = clock.now()

    @property
    def limits(self) -> Limits:
        """Return how much of the hub it may take."""
        return self.settings.limits if self.settings is not None else Limits()

    def become(self, other: Running) -> None:
        """Take over what *other* is and is given; the state stays."""
        self.use, self.settings, self.config = other.use, other.settings, other.config
        self.cls, self.version, self.hooks = other.cls, other.version, other.hooks
        self.problems, self.guard = other.problems, other.guard
        self._sick = self._locked_out = None
        self.is_retiring = False

    def hide(self) -> None:
        """Serve no capability and no step from now on; calls that have begun go on."""
        self.cls, self.hooks, self.steps = None, frozenset(), ()

    @property
    def meta(self) -> Meta | None:
        """Return who the adapter is, or None when its class could not be had."""
        return self.cls.meta if self.cls is not None else None

    @property
    def name(self) -> str:
        """Return the name people read."""
        return self.meta.name if self.meta is not None else self.id

    @property
    def capabilities(self) -> Mapping[str, tuple[str, ...]]:
        """Return each capability with the methods that carry it."""
        return capabilities_of(self.cls) if self.cls is not None else {}

    @property
    def state(self) -> Life:
        """Return the state as people see it: a ready instance may be degraded or locked out."""
        if self._life != "ready":
            return self._life
        if self._locked_out is not None:
            return "auth_required"
        if self._sick is not None or self.guard.breaker.phase != "closed":
            return "degraded"
        return "ready"

    @property
    def words(self) -> str:
        """Return what is wrong and who can fix it; empty when nothing is."""
        if self._life != "ready":
            return self.text
        if self._locked_out is not None:
            return self._locked_out
        if self.guard.breaker.phase != "closed":
            return f"{self.name} fails too often; it is asked again in a moment."
        return self._sick or ""

    def move(self, life: Life, text: str = "", *, next_try: datetime | None = None) -> None:
        """Enter the state *life*; *text* says why and who can fix it."""
        if life != self._life:
            self.since = self._clock.now()
        self._life = life
        self.text = without_secrets(text)
        self.next_try = next_try
        if life == "ready":
            self._sick = self._locked_out = None
            self.ready.set()
        else:
            self.ready.clear()

    def note(self, error: BaseException | None) -> None:
        """Learn from a call's end whether the far side still accepts the credentials."""
        if isinstance(error, AuthRequired):
            if self._locked_out is None:
                self.since = self._clock.now()
            self._locked_out = auth_text(self.name, error)
        elif error is None and self._locked_out is not None:
            self._locked_out = None
            self.since = self._clock.now()

    def checked(self, health: Health) -> None:
        """Take the result of a connection check in."""
        sick = None if health.ok else (health.text or f"{self.name} reports a problem.")
        sick = without_secrets(sick) if sick else None
        if (sick is None) != (self._sick is None):
            self.since = self._clock.now()
        self._sick = sick
        if health.ok:
            self._locked_out = None

    def why_not(self) -> NotRunning:
        """Return the error that stands for a call while the instance is not ready."""
        wait_s = None
        if self.next_try is not None:
            wait_s = max(0.0, (self.next_try - self._clock.now()).total_seconds())
        return NotRunning(self._life, self.text, retry_after_s=wait_s)

    def secrets(self) -> Mapping[str, str]:
        """Return the secret settings in clear, by name; for this adapter's context only."""
        if self.config is None:
            return {}
        return {
            name: value.get_secret_value()
            for name in type(self.config).model_fields
            if hasattr(value := getattr(self.config, name), "get_secret_value")
        }


def auth_text(name: str, error: AuthRequired) -> str:
    """Return the sentence for an instance whose credentials were refused."""
    del error  # Its text is for the log: it may name the far side's account.
    return f"{name} refuses the hub's credentials. An admin must sign in to it again."
