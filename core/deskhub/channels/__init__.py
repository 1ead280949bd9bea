"""Conversations that are held outside the widget: what comes in, and what leaves."""

from deskhub.channels.channels import Channels

__all__ = ["Channels"]
