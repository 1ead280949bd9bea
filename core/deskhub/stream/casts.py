"""What may get lost, on its way to one client: the newest of each kind, and not many."""

from __future__ import annotations

from collections.abc import Sequence

CASTS_MAX = 64

Key = tuple[str, str | None, str]


class Casts:
    """At most one waiting frame per (kind, conversation, sender), 64 in all."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        """Start empty."""
        self._frames: dict[Key, str] = {}

    def __bool__(self) -> bool:
        """Return whether anything waits."""
        return bool(self._frames)

    def put(self, key: Key, frame: str) -> None:
        """Let *frame* replace the older one of the same key; the oldest key makes room."""
        self._frames.pop(key, None)
        self._frames[key] = frame
        if len(self._frames) > CASTS_MAX:
            del self._frames[next(iter(self._frames))]

    def take(self) -> Sequence[str]:
        """Return what waits, oldest first, and forget it."""
        frames = list(self._frames.values())
        self._frames.clear()
        return frames
