"""What a call of a step tells: done, refused without effect, never sent, or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deskhub_sdk.errors import (
    AdapterError,
    AuthRequired,
    Conflict,
    NeedsPerson,
    NotSent,
    Rejected,
    Throttled,
)


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is there; *fact* is what the step provides."""

    fact: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Absent:
    """A look-up found that there is no effect."""


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer to go on with.

    *effect* says what is known of the call: ``none`` (it had none) or ``unknown``. *final*
    says that asking again is pointless; *settles* that the answer also speaks for earlier
    calls with the same key.
    """

    effect: str
    code: str
    text: str
    final: bool = False
    settles: bool = False
    unsent: bool = False
    after_s: float | None = None


def classify(error: Exception) -> Failed:
    """Return what *error* says about the effect of the call that raised it.

    Whatever is not one of the contract's answers is an unknown outcome: the hub cannot know
    whether the request arrived.
    """
    if not isinstance(error, AdapterError):
        # Foreign exceptions may quote requests, so only their kind is kept.
        code = "timeout" if isinstance(error, TimeoutError) else "outcome_unknown"
        return Failed("unknown", code, type(error).__name__)
    after_s = error.retry_after_s
    text = str(error)[:300]
    if isinstance(error, NotSent | Throttled):
        return Failed("none", error.code, text, unsent=True, after_s=after_s)
    if isinstance(error, Rejected):
        return Failed("none", error.code, text, final=True, settles=True)
    if isinstance(error, NeedsPerson):
        return Failed("none", error.code, text, final=True)
    if isinstance(error, Conflict | AuthRequired):
        return Failed("none", error.code, text, after_s=after_s)
    return Failed("unknown", error.code, text, after_s=after_s)
