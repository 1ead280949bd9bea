"""Where code stood, read from what the interpreter's own fault handler wrote down."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

import deskhub_sdk

_FRAME = re.compile(r'File "([^"]+)", line (\d+) in')
_NOT_ADAPTERS = (
    sysconfig.get_paths()["stdlib"],
    str(Path(deskhub_sdk.__file__).parent),
    "<frozen",
)


Place = tuple[str, int]


def place_in(dump: str) -> Place | None:
    """Return file and line of the main thread's innermost frame; None when there is no stack.

    Code outside the standard library and the SDK counts; where there is none, every frame.
    """
    # The main thread is the last one that is written.
    _, found, stack = dump.rpartition("most recent call first")
    frames = [(file, int(line)) for file, line in _FRAME.findall(stack)] if found else []
    return innermost(frames)


def innermost(
    frames: Sequence[Place], own: Callable[[str], bool] | None = None
) -> Place | None:
    """Return the first of *frames*, innermost first, that *own* claims.

    Without *own*, code outside the standard library and the SDK counts; where there is none,
    the innermost frame of all.
    """
    claims = own or (lambda file: not file.startswith(_NOT_ADAPTERS))
    theirs = [one for one in frames if claims(one[0])]
    if own is None:
        theirs = theirs or list(frames)
    return theirs[0] if theirs else None
