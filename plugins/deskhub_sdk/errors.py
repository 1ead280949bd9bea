"""What an adapter may raise: one class for each decision the hub can take."""

from __future__ import annotations


class AdapterError(Exception):
    """A failure of the far side or of the adapter that the hub can act on.

    *code* is stable and shown to agents through the error catalogue; the text names the ids
    that are needed to act and never holds a secret.
    """

    code = "adapter_failed"

    def __init__(self, text: str = "", *, retry_after_s: float | None = None) -> None:
        """Say what failed; *retry_after_s* is what the far side asked for, if it did."""
        super().__init__(text or self.code)
        self.retry_after_s = retry_after_s


class NotReady(AdapterError):
    """`start` cannot finish now; the hub tries again after *retry_after_s*."""

    code = "not_ready"


class ConfigInvalid(AdapterError):
    """The settings cannot work (wrong address, unknown account); an admin must change them."""

    code = "config_invalid"


class AuthRequired(AdapterError):
    """The far side refused the credentials; an admin must sign in again."""

    code = "auth_required"


class Unavailable(AdapterError):
    """The far side cannot be reached or answers 5xx; nothing is known about the answer."""

    code = "unavailable"


class Throttled(AdapterError):
    """The far side refused before doing anything because of its rate limit (429)."""

    code = "throttled"


class NotFound(AdapterError):
    """The far side knows no such object."""

    code = "not_found"


class Malformed(AdapterError):
    """The far side answered something that is not what its documentation says."""

    code = "malformed_answer"


class Forged(AdapterError):
    """A webhook's signature, age or address does not hold; nothing of it may be used."""

    code = "forged"


class StepError(AdapterError):
    """Base of the answers that decide how a step of an action goes on."""

    code = "step_failed"


class NotSent(StepError):
    """The request never left: repeating it cannot double anything."""

    code = "not_sent"


class Rejected(StepError):
    """The far side looked at the request and refused it for good; there was no effect."""

    code = "rejected"


class Conflict(StepError):
    """The object changed since the preview; there was no effect and a new plan is needed."""

    code = "conflict"


class NeedsPerson(StepError):
    """Only a person can go on, for example because the far side holds the order for review."""

    code = "needs_person"


class OutcomeUnknown(StepError):
    """The request may or may not have had its effect (time-out, broken connection, 502)."""

    code = "outcome_unknown"
