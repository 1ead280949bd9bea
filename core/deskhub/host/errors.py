"""How the host says that a call to an adapter did not come to an answer.

All of them are errors of the contract, so that a caller which decides by `NotSent` or
`OutcomeUnknown` needs to know nothing about guards and deadlines.
"""

from __future__ import annotations

from collections.abc import Sequence

from deskhub.config import Problem
from deskhub.errors import HubError
from deskhub_sdk import AdapterError, NotSent, OutcomeUnknown, Rejected, Unavailable


class InstanceBusy(NotSent):
    """The bulkhead is full or the breaker open: the adapter was not called."""

    code = "busy"


class NotRunning(NotSent):
    """The instance is not ready, so it was not called; *state* says why."""

    code = "not_running"

    def __init__(self, state: str, text: str, *, retry_after_s: float | None = None) -> None:
        """Say in which *state* the instance is, and in words what that means."""
        super().__init__(text or state, retry_after_s=retry_after_s)
        self.state = state


class TooLate(OutcomeUnknown):
    """The adapter had not answered at the deadline; it may still be at work."""

    code = "late"


class Crashed(OutcomeUnknown):
    """The adapter raised something that the contract does not know."""

    code = "crashed"


class UnknownInstance(HubError):
    """Nothing is configured under this name."""

    code = "unknown_instance"
    status = 404
    retry = "never"
    text = "There is no adapter of this name here."


class UnknownHook(HubError):
    """The addressed adapter does not answer this question."""

    code = "unknown_hook"
    status = 404
    retry = "never"
    text = "This adapter does not do that."


class ConfigRefused(HubError):
    """hub.toml would have mistakes; each is a field with its code and sentence."""

    code = "config_refused"
    status = 422
    retry = "never"
    text = "hub.toml would have mistakes. Nothing was changed."

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Carry every problem of the file."""
        super().__init__(
            f"{len(problems)} problems",
            fields=tuple(
                {
                    "path": ".".join(one.path),
                    "code": one.code,
                    "text": f"{one.what}. {one.fix}".rstrip(" "),
                }
                for one in problems
            ),
        )


class ConfigNotEditable(HubError):
    """hub.toml cannot be edited from here: read-only, or changed by somebody else."""

    code = "config_not_editable"
    status = 409
    retry = "never"
    text = "hub.toml cannot be changed from here. Change it where it is kept."


def translated(error: HubError) -> AdapterError:
    """Return the contract's error for the decision an adapter can take."""
    if error.retry == "never":
        return Rejected(f"{error.code}: {error.text}")
    return Unavailable(
        error.code, retry_after_s=error.after_ms / 1000 if error.after_ms else None
    )
