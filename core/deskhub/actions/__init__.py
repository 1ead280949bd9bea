"""Actions across systems: preview every effect, journal every intent, never half-happen."""

from __future__ import annotations

from deskhub.actions.errors import (
    ActionError,
    ActionRefused,
    ActionUnavailable,
    AlreadyRunning,
    DigestMismatch,
    NotEligible,
    PlanChanged,
    PlanExpired,
)
from deskhub.actions.service import Actions

__all__ = [
    "ActionError",
    "ActionRefused",
    "ActionUnavailable",
    "Actions",
    "AlreadyRunning",
    "DigestMismatch",
    "NotEligible",
    "PlanChanged",
    "PlanExpired",
]
