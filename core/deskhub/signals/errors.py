"""Why an inbound webhook was not taken."""

from __future__ import annotations

from deskhub.errors import HubError


class WebhookForged(HubError):
    """Signature, age or address do not hold; nothing of it was used."""

    code = "webhook_forged"
    status = 401
    retry = "never"
    text = "The signature of this webhook does not hold."


class WebhookUnread(HubError):
    """The adapter could not read it now; the sender may repeat it."""

    code = "webhook_unread"
    status = 503
    retry = "later"
    text = "This webhook cannot be read right now. Please send it again."


class WebhookMalformed(HubError):
    """It is genuine and still makes no sense; a repetition would not help."""

    code = "webhook_malformed"
    status = 422
    retry = "never"
    text = "This webhook does not have the form it should have."
