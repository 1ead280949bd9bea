"""Why a subscription was not taken."""

from __future__ import annotations

from deskhub.errors import Conflict, Invalid


class EndpointRefused(Invalid):
    """Not an address that the hub may post to."""

    code = "endpoint_refused"
    text = "The hub may not post to this address."


class TooManySubscriptions(Conflict):
    """There are as many as there may be."""

    code = "too_many_subscriptions"
    text = "There are as many webhook endpoints as there may be. Remove one first."


class SubscriptionDisabled(Conflict):
    """Nothing is sent to an address that is switched off."""

    code = "subscription_disabled"
    text = "This webhook endpoint is switched off. Switch it on first."
