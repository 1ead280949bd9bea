"""Runs every rule on one adapter and says how it did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from deskhub_sdk.testing.kit import bronze, gold, silver
from deskhub_sdk.testing.kit.bench import Bench
from deskhub_sdk.testing.kit.rules import (
    RULES,
    TIERS,
    Broken,
    NotApplicable,
    Outcome,
    Rule,
    State,
    Tier,
    tier_of,
)
from deskhub_sdk.worker.failures import place_of

RULE_S = 60.0
MODULES = (bronze, silver, gold)


@dataclass(frozen=True)
class Report:
    """How an adapter came out: *tier* is None when it is not even bronze."""

    adapter: str
    version: str
    outcomes: list[Outcome]

    @property
    def tier(self) -> Tier | None:
        """Return the tier that the rules add up to."""
        return tier_of(self.outcomes)

    @property
    def broken(self) -> list[Outcome]:
        """Return the rules that do not hold."""
        return [one for one in self.outcomes if one.state == "broken"]

    def as_json(self) -> dict[str, Any]:
        """Return the report as the command line prints it."""
        return {
            "ok": not self.broken,
            "data": {
                "adapter": self.adapter,
                "version": self.version,
                "tier": self.tier,
                "rules": [one.as_json() for one in self.outcomes],
            },
        }


async def run(folder: Path, *, up_to: Tier = "gold", only: str | None = None) -> Report:
    """Run the rules on the adapter in *folder*. Raises `KitFailed` when there is none."""
    bench = Bench.at(folder)
    wanted = TIERS[: TIERS.index(up_to) + 1]
    outcomes = [
        await outcome(one, bench)
        for one in sorted(RULES, key=lambda one: TIERS.index(one.tier))
        if one.tier in wanted and (only is None or one.id == only)
    ]
    return Report(bench.cls.meta.id, bench.version, outcomes)


async def outcome(rule: Rule, bench: Bench) -> Outcome:
    """Return how *rule* came out; whatever escapes it breaks it."""
    began = monotonic()

    def made(
        state: State, what: str = "", fix: str = "", file: str = "", line: int = 0
    ) -> Outcome:
        return Outcome(rule, state, what, fix, file, line, (monotonic() - began) * 1000)

    try:
        async with asyncio.timeout(RULE_S):
            await rule.check(bench)
    except NotApplicable as error:
        return made("not_applicable", str(error))
    except Broken as error:
        return made("broken", str(error), error.fix, error.file, error.line)
    except Exception as error:  # noqa: BLE001  an adapter may raise anything
        found = _inner(error)
        if isinstance(found, Broken):
            return made("broken", str(found), found.fix, found.file, found.line)
        file, _, line = place_of(found).rpartition(":")
        return made("broken", f"{type(found).__name__}: {found}", "", file, int(line or 0))
    return made("kept")


def _inner(error: BaseException) -> BaseException:
    """Return the first failure inside a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
