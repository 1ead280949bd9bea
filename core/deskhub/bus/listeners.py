"""Who wants to hear what comes in over a bus; one that fails harms nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable

from deskhub.bus.port import OnCast, OnWake

log = logging.getLogger("deskhub.bus")


class Listeners:
    """The callbacks of one end of a bus."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._wakes: list[OnWake] = []
        self._casts: list[OnCast] = []

    def add(self, on_wake: OnWake | None, on_cast: OnCast | None) -> Callable[[], None]:
        """Call back from now on. Returns what ends it."""
        if on_wake is not None:
            self._wakes.append(on_wake)
        if on_cast is not None:
            self._casts.append(on_cast)

        def end() -> None:
            if on_wake is not None:
                self._wakes.remove(on_wake)
            if on_cast is not None:
                self._casts.remove(on_cast)

        return end

    def woken(self, tenant: str, head: int) -> None:
        """Pass a wake-up on."""
        for listener in list(self._wakes):
            listener(tenant, head)

    def told(self, tenant: str, what: bytes) -> None:
        """Pass on what another process cast; it may be of another version or broken."""
        for listener in list(self._casts):
            try:
                listener(tenant, what)
            except Exception as error:  # noqa: BLE001  nothing on the bus may harm the hub
                log.warning("cast_not_understood", extra={"error": type(error).__name__})
