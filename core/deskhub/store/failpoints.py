"""Named places where a test lets this process die, as a crash there would.

``DESKHUB_FAILPOINT=name[:n]`` ends it the n-th time it gets to *name*, at once and without
cleaning up. A server without the variable pays one comparison.
"""

from __future__ import annotations

import os
from typing import Literal

Place = Literal[
    "start.opening",
    "start.migrated",
    "start.loaded",
    "migration.statement",
    "batch.locked",
    "batch.half",
    "batch.written",
    "commit.done",
    "finish.before_fan_out",
    "finish.before_answers",
    "finish.after_answers",
    "stream.answered",
    "stream.fanned_out",
    "checkpoint.before",
    "checkpoint.after",
]

EXIT = 137

IS_SET = False
_name = ""
_left = 0


def begin() -> None:
    """Read the environment; done at import, and again by a process that was forked."""
    global IS_SET, _name, _left  # noqa: PLW0603  of the process, as its environment
    _name, _, times = os.environ.get("DESKHUB_FAILPOINT", "").partition(":")
    _left = int(times or 1)
    IS_SET = bool(_name)


def reach(place: Place) -> None:
    """End the process when it was started to die here."""
    global _left  # noqa: PLW0603  counted over the whole process
    if place != _name:
        return
    _left -= 1
    if _left <= 0:
        # Nothing may run any more: no buffers written, no locks given back, no atexit.
        os._exit(EXIT)


def left() -> int:
    """Return how often the place may still be reached."""
    return _left


begin()
