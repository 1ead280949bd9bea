"""Whether anybody is there for the customers of an inbox, and when somebody is again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from deskhub.config import Inbox
from deskhub.edge.targets import TOLD_AHEAD_DAYS, target_of
from deskhub.identity.records import Agent

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub


@dataclass(frozen=True, slots=True)
class Opening:
    """*away* says that nobody answers now; *opens_at* is known only outside opening hours."""

    away: bool
    opens_at: datetime | None = None


def opening(hub: Hub, inbox: Inbox, agents: Sequence[Agent]) -> Opening:
    """Return how it is now; *agents* are the tenant's.

    An inbox without opening hours is always open, and away when nobody is connected.
    """
    now = hub.clock.now()
    if inbox.hours is not None:
        ahead = now + timedelta(days=TOLD_AHEAD_DAYS)
        first = next(iter(target_of(inbox).hours.spans(now, ahead)), None)
        if first is None or first[0] > now:
            return Opening(away=True, opens_at=first[0] if first else None)
    return Opening(away=not any(_is_there(hub, inbox, one) for one in agents))


def _is_there(hub: Hub, inbox: Inbox, agent: Agent) -> bool:
    if not agent.active or agent.status == "away" or agent.role == "auditor":
        return False
    mine = agent.inboxes is None or inbox.id in agent.inboxes
    return mine and hub.streams.is_here(inbox.tenant, f"agent:{agent.id}")
