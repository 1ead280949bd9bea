"""Everything the network side needs of the hub, in one typed place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deskhub.edge.limits import Guard, Limits
from deskhub.privacy import Eraser, Systems

if TYPE_CHECKING:
    from deskhub.actions import Actions
    from deskhub.chat.service import Chat
    from deskhub.clock import Clock
    from deskhub.config import Config
    from deskhub.files.files import Files
    from deskhub.host.host import Host
    from deskhub.host.notify import Announcer
    from deskhub.host.reload import Reload
    from deskhub.identity.service import Identity
    from deskhub.identity.sso import SingleSignOn
    from deskhub.notify import Mail, Push
    from deskhub.panels import Panels
    from deskhub.signals import Signals
    from deskhub.store.reports import Reports
    from deskhub.store.search import Search
    from deskhub.store.store import Store
    from deskhub.stream.streams import Streams
    from deskhub.subscriptions import Subscriptions


@dataclass(slots=True)
class Hub:
    """The built parts of one process; `app.py` makes it, routes read it.

    *draining* is set when the process is about to end: load balancers look elsewhere then.
    """

    config: Config
    clock: Clock
    store: Store
    identity: Identity
    sso: SingleSignOn
    chat: Chat
    streams: Streams
    host: Host
    panels: Panels
    signals: Signals
    actions: Actions
    announcer: Announcer
    files: Files
    mail: Mail
    push: Push
    subscriptions: Subscriptions
    search: Search
    reports: Reports
    reload: Reload
    limits: Limits = field(default_factory=Limits)
    draining: bool = False
    guard: Guard = field(init=False)
    eraser: Eraser = field(init=False)
    systems: Systems = field(init=False)

    def __post_init__(self) -> None:
        """Make the counters that enforce *limits*, and who erases what is known of people."""
        self.systems = Systems(self.host, self.store, self.clock)
        self.eraser = Eraser(self.store, self.files, self.identity.locked_out, self.systems)
        self.guard = Guard(self.limits, self.clock.monotonic)
