"""A file's name is a text that a stranger wrote: shown, never used as a path."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

NAME_CHARS = 120
_UNNAMED = "file"
# Marks that turn the direction of text would let ``gpj.exe`` be read as ``exe.jpg``.
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def shown_name(given: str) -> str:
    """Return *given* without folders, control characters and turns of direction."""
    last = re.split(r"[/\\]", given)[-1]
    plain = _TURNS.sub("", last)
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in plain)
    name = " ".join(kept.split()).strip(". ")
    stem, dot, suffix = name.rpartition(".")
    if len(name) > NAME_CHARS:
        suffix = suffix[:12] if dot else ""
        name = f"{(stem or name)[: NAME_CHARS - len(suffix) - 2]}….{suffix}".rstrip(".")
    return name or _UNNAMED


def disposition(name: str, *, inline: bool) -> str:
    """Return a Content-Disposition with *name* (RFC 6266), safe in a header."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def as_webp(name: str) -> str:
    """Return *name* as that of the picture that was made of it."""
    stem, dot, _ = name.rpartition(".")
    return f"{stem if dot and stem else name}.webp"
