"""A place in a tenant's log, as clients hold it: ``epoch:seq``, opaque to them."""

from __future__ import annotations

import re

from deskhub.stream.errors import BadCursor

_SHAPE = re.compile(r"([A-Za-z0-9_-]{0,64}):(\d{1,15})")


def written(epoch: str, seq: int) -> str:
    """Return the cursor of *seq* in *epoch*."""
    return f"{epoch}:{seq}"


def read(cursor: str) -> tuple[str, int]:
    """Return (epoch, seq). Raises `BadCursor` for what no server ever wrote."""
    match = _SHAPE.fullmatch(cursor)
    if match is None:
        raise BadCursor(cursor[:80])
    return match[1], int(match[2])
