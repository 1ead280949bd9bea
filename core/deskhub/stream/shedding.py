"""What is left out when the writer cannot keep up: comfort first, an open talk never."""

from __future__ import annotations

from typing import Literal

from deskhub.store.store import Store
from deskhub.stream.figures import StreamFigures

Comfort = Literal["typing", "presence", "visitors"]

# How many writes may wait before each is left out; at 5,000 everything is refused.
SHED_AT: dict[Comfort, int] = {"typing": 2_000, "presence": 3_000, "visitors": 4_000}


class Shedding:
    """Decides by the length of the writer's queue, which is what everybody waits for."""

    def __init__(self, store: Store, figures: StreamFigures) -> None:
        """Ask *store*; count in *figures*."""
        self._store = store
        self._figures = figures

    def leaves_out(self, what: Comfort) -> bool:
        """Return whether *what* must wait for better times; counts it when so."""
        if self._store.queue_depth < SHED_AT[what]:
            return False
        self._figures.shed.add(what)
        return True
