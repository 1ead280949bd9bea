"""Errors that cross the socket: the contract's by their code, everything else as a crash."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator

import deskhub_sdk
from deskhub_sdk import errors
from deskhub_sdk.errors import AdapterError
from deskhub_sdk.worker.frames import Failed, Meter

CRASHED = "crashed"
MAX_TEXT = 500

_OWN = os.path.dirname(os.path.abspath(deskhub_sdk.__file__))


def _tree(kind: type[AdapterError]) -> Iterator[type[AdapterError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _tree(below)


KNOWN = {kind.code: kind for kind in _tree(AdapterError)}
_KINDS = frozenset(KNOWN.values())


def failure_of(call: int, error: BaseException, meter: Meter | None = None) -> Failed:
    """Return *error* as a frame. Only errors of the contract keep their text."""
    place = place_of(error)
    for kind in type(error).__mro__:
        if kind in _KINDS and isinstance(error, AdapterError):
            text = str(error)[:MAX_TEXT]
            return Failed(call, kind.code, text, error.retry_after_s, place, meter)
    return Failed(call, CRASHED, type(error).__name__, None, place, meter)


def error_of(failed: Failed, crashed: Callable[[str], Exception]) -> Exception:
    """Return the error that *failed* stands for; *crashed* makes that of anything unknown."""
    kind = KNOWN.get(failed.code)
    if kind is None:
        return crashed(f"{failed.text} at {failed.place}" if failed.place else failed.text)
    return kind(failed.text, retry_after_s=failed.retry_after_s)


def place_of(error: BaseException) -> str:
    """Return ``file:line`` of the deepest line outside this SDK, where its author looks."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if not one.filename.startswith(_OWN)] or list(frames)
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""
