"""Outbound webhooks: other systems are told of the hub's events, durably and signed."""

from deskhub.subscriptions.subscriptions import Subscriptions

__all__ = ["Subscriptions"]
