"""Faults that a simulator can be told to have: which request they hit and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

FaultKind = Literal[
    "429",
    "500",
    "401",
    "malformed",
    "reset",
    "slow",
    "timeout_before",
    "timeout_after",
    "duplicate",
    "stale",
    "bad_id",
]
KINDS: tuple[str, ...] = get_args(FaultKind)
# These concern webhooks that leave; the others concern requests that arrive.
OUTGOING = frozenset({"stale"})


@dataclass(slots=True)
class Fault:
    """One way to fail.

    *match* is a pattern with ``*`` on the path (``/orders*``), or on method and path
    (``POST /refunds``), or on a webhook's kind (``order.shipped``). It hits *times* times;
    0 means until it is cleared. *after_s* is the pause of ``slow`` and the ``Retry-After``
    of ``429``; *id* is the id that ``bad_id`` objects to (default: the first of a batch).
    """

    kind: FaultKind
    match: str = "*"
    times: int = 1
    after_s: float = 1.0
    id: str | None = None
    hits: int = 0

    def hit(self, subject: str) -> bool:
        """Say whether *subject* (``POST /refunds`` or ``order.shipped``) is meant."""
        path = subject.partition(" ")[2] or subject
        return fnmatchcase(subject, self.match) or fnmatchcase(path, self.match)


class FaultBook:
    """The faults that are still to come, oldest first."""

    def __init__(self) -> None:
        """Start without faults."""
        self._faults: list[Fault] = []

    def add(self, wish: Mapping[str, Any]) -> Fault:
        """Take a fault as it arrives at ``POST /_sim/faults``. Raises `ValueError`."""
        unknown = set(wish) - {"kind", "match", "times", "after_s", "id"}
        if unknown:
            raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
        kind = str(wish.get("kind", ""))
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        fault = Fault(**{**wish, "kind": kind})
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def take(self, subject: str, kinds: frozenset[str]) -> Fault | None:
        """Return the first fault of *kinds* that hits *subject*, and count the hit."""
        for fault in self._faults:
            if fault.kind in kinds and fault.hit(subject):
                fault.hits += 1
                if fault.times and fault.hits >= fault.times:
                    self._faults.remove(fault)
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """Return what is still to come, as JSON."""
        return [asdict(fault) for fault in self._faults]
