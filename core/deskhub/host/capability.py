"""A capability of one instance, as an object whose methods are guarded calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from deskhub.host.running import Running

READ_S = 5.0


class Call(Protocol):
    """Runs work under an instance's guard."""

    def __call__(self, work: Callable[[], Awaitable[Any]], timeout_s: float) -> Awaitable[Any]:
        """Return what *work* returns within *timeout_s*."""
        ...


class Capability:
    """Has exactly the methods the instance declares for one capability, nothing else of it."""

    def __init__(self, running: Running, methods: Sequence[str], call: Call) -> None:
        """Offer *methods* of the adapter in *running* through *call*."""
        self._running = running
        self._methods = frozenset(methods)
        self._call = call

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return the guarded method *name*."""
        if name.startswith("_") or name not in self._methods:
            raise AttributeError(f"{self._running.id} has no {name}")

        async def guarded(*arguments: object) -> Any:  # noqa: ANN401  the capability says
            # The one that runs now, also when another takes its place while this call waits.
            adapter = self._running.adapter
            return await self._call(lambda: getattr(adapter, name)(*arguments), READ_S)

        return guarded
