"""Features that ship with the hub, written against the contract like any adapter."""

from deskhub.builtin.canned import CannedConfig, CannedReplies, canned_replies
from deskhub.builtin.hours import OpeningHours
from deskhub.builtin.routing import Routing, RoutingConfig
from deskhub.builtin.sla import Sla, SlaConfig, Target

__all__ = [
    "CannedConfig",
    "CannedReplies",
    "OpeningHours",
    "Routing",
    "RoutingConfig",
    "Sla",
    "SlaConfig",
    "Target",
    "canned_replies",
]
