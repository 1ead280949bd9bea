"""Planted faults, switched on by tests only: a check that cannot fail is no check.

``DESKHUB_SABOTAGE`` names them, separated by commas; a server without it has none.
"""

from __future__ import annotations

import os
from typing import Literal

Fault = Literal[
    "ack_before_commit",
    "no_dedupe",
    "skip_acl_on_poll",
    "keep_epoch",
    "no_catch_up",
    "no_sync",
    "half_migrations",
    "no_fence",
    "erase_forgets_events",
    "erase_forgets_files",
    "erase_forgets_systems",
    "edits_not_kept",
    "push_again",
    "versions_ignored",
    "told_twice",
]

_ACTIVE: frozenset[str] = frozenset()


def begin() -> None:
    """Read the environment; done at import, and again by a process that was forked."""
    global _ACTIVE  # noqa: PLW0603  of the process, as its environment
    _ACTIVE = frozenset(os.environ.get("DESKHUB_SABOTAGE", "").split(",")) - {""}


def sabotaged(fault: Fault) -> bool:
    """Return whether this process was started to get *fault* wrong."""
    return fault in _ACTIVE


def active() -> frozenset[str]:
    """Return the planted faults, so that a start can warn about them."""
    return _ACTIVE


begin()
