"""A rule, what breaks it, and the tier that the kept ones add up to."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from deskhub_sdk.testing.kit.bench import Bench

Tier = Literal["bronze", "silver", "gold"]
State = Literal["kept", "broken", "not_applicable"]
TIERS: tuple[Tier, ...] = ("bronze", "silver", "gold")
Check = Callable[["Bench"], Awaitable[None]]


# What `deskhub explain` says more of; every other rule is DH533.
CODES = {
    "records": "DH521",
    "secrets": "DH522",
    "batching": "DH530",
    "never-blocks": "DH505",
    "once": "DH531",
    "undo": "DH532",
    "webhooks-verified": "DH601",
}


class Broken(Exception):
    """A rule does not hold: *what* happened, *fix*, and *where* in the adapter."""

    def __init__(self, what: str, *, fix: str = "", where: object = None) -> None:
        """Point at *where*: a function, a class, or ``(file, line)``."""
        super().__init__(what)
        self.fix = fix
        self.file, self.line = place(where)


class NotApplicable(Exception):
    """The adapter has nothing that the rule is about."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the quality scale."""

    id: str
    tier: Tier
    text: str
    check: Check

    @property
    def code(self) -> str:
        """Return the code of the rule being broken."""
        return CODES.get(self.id, "DH533")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rule came out."""

    rule: Rule
    state: State
    what: str = ""
    fix: str = ""
    file: str = ""
    line: int = 0
    ms: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it as the report shows it."""
        return {
            "id": self.rule.id,
            "tier": self.rule.tier,
            "text": self.rule.text,
            "state": self.state,
            "code": self.rule.code if self.state == "broken" else "",
            "what": self.what,
            "fix": self.fix,
            "file": self.file,
            "line": self.line,
            "ms": round(self.ms, 1),
        }


RULES: list[Rule] = []


def rule(tier: Tier, text: str) -> Callable[[Check], Check]:
    """Enter a check as the rule *text* of *tier*; its name is the rule's id."""

    def enter(check: Check) -> Check:
        RULES.append(Rule(check.__name__.replace("_", "-"), tier, text, check))
        return check

    return enter


def tier_of(outcomes: list[Outcome]) -> Tier | None:
    """Return the highest tier that was run of which, and below which, no rule is broken."""
    reached: Tier | None = None
    for tier in TIERS:
        states = {one.state for one in outcomes if one.rule.tier == tier}
        if not states or "broken" in states:
            return reached
        reached = tier
    return reached


def place(where: object) -> tuple[str, int]:
    """Return file and line of *where*; nothing when it has none."""
    if isinstance(where, tuple):
        return str(where[0]), int(where[1])
    if isinstance(where, Path):
        return str(where), 1
    if where is None:
        return "", 0
    thing: Any = where
    try:
        lines = inspect.getsourcelines(thing)[1]
        return str(inspect.getsourcefile(thing) or ""), lines
    except (OSError, TypeError):
        return "", 0
