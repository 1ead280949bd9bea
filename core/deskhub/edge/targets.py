"""Service levels of the configured inboxes: for the feature that watches, and for clients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from deskhub.builtin.sla import SlaConfig, Target
from deskhub.config import Config, Inbox

# How far clients are told opening times; a console takes a new snapshot sooner than that.
TOLD_BACK_DAYS, TOLD_AHEAD_DAYS = 3, 35
_ALWAYS = (((0, 1440),),) * 7


def sla_config(config: Config) -> SlaConfig:
    """Return what the service levels feature needs of *config*."""
    return SlaConfig(
        inboxes={box.id: target_of(box) for box in config.inboxes.values() if box.sla}
    )


def target_of(inbox: Inbox) -> Target:
    """Return the targets and opening times of *inbox*; without hours it is always open."""
    hours, sla = inbox.hours, inbox.sla
    return Target(
        zone=hours.zone if hours else "UTC",
        week=hours.week if hours else _ALWAYS,
        holidays=hours.holidays if hours else (),
        response_s=sla.response if sla else None,
        resolution_s=sla.resolution if sla else None,
    )


def sla_view(inbox: Inbox, now: datetime) -> Mapping[str, Any] | None:
    """Return an inbox's response target and its opening times as spans of Unix seconds.

    A client adds opening time by them and has to know nothing of zones and holidays.
    """
    if inbox.sla is None or inbox.sla.response is None:
        return None
    spans = target_of(inbox).hours.spans(
        now - timedelta(days=TOLD_BACK_DAYS), now + timedelta(days=TOLD_AHEAD_DAYS)
    )
    told = [[int(first.timestamp()), int(last.timestamp())] for first, last in spans]
    return {"response_s": inbox.sla.response, "spans": told if inbox.hours else None}
