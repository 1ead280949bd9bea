"""How deep JSON nests, found out without parsing it."""

from __future__ import annotations

import re

DEPTH_MAX = 64

_OPENING = re.compile(rb"[\[{]")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


def too_deep(body: bytes, depth: int = DEPTH_MAX) -> bool:
    """Return whether JSON in *body* nests deeper than *depth*."""
    if len(_OPENING.findall(body)) <= depth:
        return False
    level = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", body)):
        level += 1 if bracket.group() in b"[{" else -1
        if level > depth:
            return True
    return False


def frame_too_deep(text: str | bytes) -> bool:
    """Return whether a frame nests too deep; most hold too few brackets to be asked twice."""
    if isinstance(text, bytes):
        return too_deep(text)
    if text.count("{") + text.count("[") <= DEPTH_MAX:
        return False
    return too_deep(text.encode("utf-8", "replace"))
