"""What a bus does: it says "look at your log" to other processes, and may forget to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

OnWake = Callable[[str, int], None]
OnCast = Callable[[str, bytes], None]


class Bus(Protocol):
    """Reaches every other process of the installation; nothing on it is ever relied upon."""

    @property
    def is_connected(self) -> bool:
        """Return whether others can be reached at this moment."""
        ...

    def wake(self, tenant: str, head: int) -> None:
        """Tell the others that *tenant*'s log reached *head*; never waits, may drop."""
        ...

    def cast(self, tenant: str, what: bytes) -> None:
        """Tell the others *what*, which is worth nothing later; never waits, may drop."""
        ...

    def listen(
        self, on_wake: OnWake | None = None, on_cast: OnCast | None = None
    ) -> Callable[[], None]:
        """Call back, on the loop, for what the others send. Returns what ends it."""
        ...

    async def run(self) -> None:
        """Stay connected until cancelled."""
        ...
