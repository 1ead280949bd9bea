"""What can go wrong between wanting an action and having it run."""

from __future__ import annotations

from typing import Any

from deskhub.errors import HubError


class ActionError(HubError):
    """Base of the refusals of actions; *extra* joins the problem that the client reads."""

    code = "action_failed"
    status = 409
    retry = "never"
    text = "This action is not possible now."

    def __init__(
        self,
        detail: str = "",
        *,
        fields: tuple[dict[str, str], ...] = (),
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Keep *detail* for the log, *fields* and *extra* for the caller."""
        super().__init__(detail, fields=fields)
        self.extra: dict[str, Any] = extra or {}


class ActionUnavailable(ActionError):
    """No enabled system provides a part that the action cannot do without."""

    code = "action_unavailable"
    text = "The enabled systems cannot do this together."


class ActionRefused(ActionError):
    """A rule of the company (hook ``action_authorize``) says no; the detail says why."""

    code = "action_refused"
    status = 403
    text = "A rule does not allow this."


class NotEligible(ActionError):
    """A system refused in its preview; ``extra.plan`` shows which and why."""

    code = "not_eligible"
    text = "One of the systems says that this cannot be done."


class PlanChanged(ActionError):
    """The world moved since the preview; ``extra.plan`` is what would happen now."""

    code = "plan_changed"
    text = "Something changed since the preview. Please look at it again."


class PlanExpired(ActionError):
    """The preview is too old to be confirmed."""

    code = "plan_expired"
    text = "This preview is too old. Please check again."


class DigestMismatch(ActionError):
    """The digest is not the one of this plan: something else was shown than would run."""

    code = "digest_mismatch"
    text = "What was confirmed is not what was shown. Please check again."


class AlreadyRunning(ActionError):
    """The same object has a run under way; ``extra.run`` names it."""

    code = "already_running"
    text = "This is already under way."


class StaleFence(ActionError):
    """Another worker has taken the run over; this one may write nothing more."""

    code = "stale_fence"
    text = "Another process has taken this over."


class ApprovalNeeded(ActionError):
    """The amount is above this role's limit; ``extra.approval`` says which."""

    code = "approval_needed"
    status = 403
    text = "This is above your limit. Ask a second person to approve it."


class ApprovalNotNeeded(ActionError):
    """The plan is within the asker's limit: it can be confirmed at once."""

    code = "approval_not_needed"
    text = "This is within your limit. You can confirm it yourself."


class ApprovalDecided(ActionError):
    """Somebody has decided this request already."""

    code = "approval_decided"
    text = "This request has been decided already."


class ApprovalExpired(ActionError):
    """Nobody decided in time; a new preview has to be asked about."""

    code = "approval_expired"
    text = "This request is too old. Please make a new preview and ask again."


class SamePerson(ActionError):
    """Who asks cannot approve: two people are the point."""

    code = "approval_same_person"
    status = 403
    text = "Somebody else has to approve what you asked for."


class OverOwnLimit(ActionError):
    """The amount is above the approver's own limit."""

    code = "approval_over_limit"
    status = 403
    text = "This is above your own limit, too."
