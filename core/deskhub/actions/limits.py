"""What a role may move without a second person: pure, from hub.toml's ``[actions.limits]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from deskhub.actions.words import money_text
from deskhub_sdk.records import Money


@dataclass(frozen=True, slots=True)
class Over:
    """By what a plan is above a limit, in words."""

    limit: Money
    why: str


class Limits:
    """The highest amount of each role; a role without one is not limited."""

    def __init__(self, limits: Mapping[str, Money] | None = None) -> None:
        """Keep *limits* by role."""
        self._limits = dict(limits or {})

    @classmethod
    def parse(cls, texts: Iterable[tuple[str, str]]) -> Limits:
        """Return limits from texts such as ``300.00 CNY``. Raises `ValueError`."""
        found = {}
        for role, text in texts:
            amount, _, currency = text.partition(" ")
            found[role] = Money(amount, currency.strip())
        return cls(found)

    def over(self, role: str | None, document: Mapping[str, Any]) -> Over | None:
        """Return why this plan needs a second person when *role* confirms it, or None.

        Another currency than the limit's cannot be compared, so it needs one.
        """
        limit = self._limits.get(role or "")
        pivots = any(step["spec"]["kind"] == "pivot" for step in document["steps"])
        amount = msgspec.convert(document["subject"]["amount"], Money)
        if limit is None or not pivots or amount.minor == 0:
            return None
        if amount.currency != limit.currency:
            return Over(limit, f"{money_text(amount)} is in another currency than your limit.")
        if amount.minor <= limit.minor:
            return None
        return Over(limit, f"{money_text(amount)} is above the limit of {money_text(limit)}.")


def proposed(document: Mapping[str, Any]) -> Over:
    """Return why a proposal needs a person, whatever its amount."""
    amount = msgspec.convert(document["subject"]["amount"], Money)
    return Over(Money("0", amount.currency), "This is a proposal; a person decides.")
