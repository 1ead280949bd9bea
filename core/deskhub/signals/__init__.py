"""Facts from business systems: verified, stored once, shown to everybody they concern."""

from deskhub.signals.inbox import SignalInbox
from deskhub.signals.signals import Signals

__all__ = ["SignalInbox", "Signals"]
