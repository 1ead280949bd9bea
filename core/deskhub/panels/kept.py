"""The last good cards, so that a system's bad minute shows old cards and not a blank."""

from __future__ import annotations

from collections import OrderedDict

from deskhub.panels.answers import Kept

MAX_ENTRIES = 4_000
MAX_BYTES = 32 * 1024 * 1024

Key = tuple[str, str, str]


class KeptCards:
    """Cards by (tenant, conversation, instance); the least recently used leave first."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        """Keep at most so many panels and bytes."""
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        """Return how many panels are kept."""
        return len(self._kept)

    def get(self, tenant: str, conversation: str, instance: str) -> Kept | None:
        """Return what was kept, or None."""
        key = (tenant, conversation, instance)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, tenant: str, conversation: str, instance: str, kept: Kept) -> None:
        """Keep *kept* in place of what was there."""
        key = (tenant, conversation, instance)
        self._drop(key)
        self._kept[key] = kept
        self._bytes += _size(kept)
        while self._kept and (
            len(self._kept) > self._max_entries or self._bytes > self._max_bytes
        ):
            self._drop(next(iter(self._kept)))

    def forget(self, tenant: str, conversation: str) -> None:
        """Keep nothing of *conversation* any longer; costs a look at every key."""
        for key in [one for one in self._kept if one[:2] == (tenant, conversation)]:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        old = self._kept.pop(key, None)
        if old is not None:
            self._bytes -= _size(old)


def _size(kept: Kept) -> int:
    return sum(len(card.encoded) for card in kept.cards)
