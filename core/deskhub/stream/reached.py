"""How far people's devices have got in the log, as they said themselves."""

from __future__ import annotations

from collections import OrderedDict

# Who is forgotten is told once more: a notice too many is better than one too few.
PEOPLE_MAX = 50_000


class Reached:
    """The last place that a device of somebody acknowledged, while this process runs.

    An open socket proves nothing: a phone that sleeps keeps it. An acknowledgement does.
    """

    def __init__(self) -> None:
        """Know nobody."""
        self._places: OrderedDict[tuple[str, str], int] = OrderedDict()

    def note(self, tenant: str, by: str, seq: int) -> None:
        """Take in that a device of *by* (``visitor:…``) has everything up to *seq*."""
        key = (tenant, by)
        self._places[key] = max(seq, self._places.get(key, 0))
        self._places.move_to_end(key)
        if len(self._places) > PEOPLE_MAX:
            self._places.popitem(last=False)

    def has(self, tenant: str, by: str, seq: int) -> bool:
        """Return whether a device of *by* has everything up to *seq*."""
        return self._places.get((tenant, by), 0) >= seq
