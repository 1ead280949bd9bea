"""A panel: one adapter's answer as the console draws it, and why it is not a good one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from deskhub.clock import rfc3339

State = Literal["ok", "empty", "stale", "late", "failed", "auth", "busy"]
SUMMARY_CHARS = 120


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong in words: *text* for whoever reads, *fix* says who can do what."""

    code: str
    text: str
    fix: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A card that kept the format: its JSON, who may see it, and its line for lists."""

    encoded: bytes
    audience: Literal["agent", "customer", "both"]
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One instance's part. *at* is when the cards were given; *ms* how long that took."""

    instance: str
    adapter: str
    title: str
    state: State
    at: datetime
    ms: float = 0.0
    lookups: int = 0
    calls: int = 0
    saved: int = 0
    cards: tuple[Shown, ...] = field(default=())
    error: Trouble | None = None

    @property
    def summary(self) -> str:
        """Return the first line that a card offers for lists."""
        return next((card.summary for card in self.cards if card.summary), "")

    def for_visitor(self) -> Panel:
        """Return what the customer may see: their cards, nothing of how they came about."""
        own = tuple(card for card in self.cards if card.audience != "agent")
        return replace(self, cards=own, error=None, ms=0.0, lookups=0, calls=0, saved=0)

    def to_json(self) -> dict[str, Any]:
        """Return the panel as the wire shows it."""
        return {
            "instance": self.instance,
            "adapter": self.adapter,
            "title": self.title,
            "state": self.state,
            "at": rfc3339(self.at),
            "ms": round(self.ms, 1),
            "lookups": self.lookups,
            "calls": self.calls,
            "saved": self.saved,
            "cards": [msgspec.json.decode(card.encoded) for card in self.cards],
            "error": _trouble(self.error),
            "summary": self.summary,
        }


def summary_line(panels: Sequence[Panel]) -> str:
    """Return one line for a list of conversations, from all panels that offer something."""
    parts = [panel.summary for panel in panels if panel.summary]
    line = " · ".join(parts)
    return line if len(line) <= SUMMARY_CHARS else f"{line[: SUMMARY_CHARS - 1]}…"


def _trouble(trouble: Trouble | None) -> dict[str, str] | None:
    if trouble is None:
        return None
    return {"code": trouble.code, "text": trouble.text, "fix": trouble.fix}
