"""The kit as tests: `conformance` in a test file of the adapter, or ``pytest --adapter``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deskhub_sdk.testing.kit.bench import Bench
from deskhub_sdk.testing.kit.rules import RULES, TIERS, Outcome, Rule, Tier
from deskhub_sdk.testing.kit.run import outcome


def items_of(session: pytest.Session, folder: Path) -> list[pytest.Item]:
    """Return one test for each rule, for the adapter in *folder*."""
    bench = Bench.at(folder.absolute())
    return [RuleItem.from_parent(session, name=one.id, rule=one, bench=bench) for one in RULES]


class RuleItem(pytest.Item):
    """One rule of the quality scale as a test."""

    def __init__(self, *, rule: Rule, bench: Bench, **more: Any) -> None:  # noqa: ANN401  pytest's own
        """Check *rule* on the adapter of *bench*."""
        super().__init__(**more)
        self._rule = rule
        self._bench = bench

    def runtest(self) -> None:
        """Check the rule."""
        _judge(asyncio.run(outcome(self._rule, self._bench)))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say which rule it is."""
        return self._bench.folder, None, f"[{self._rule.tier}] {self._rule.id}"


def conformance(file: str, *, tier: Tier = "gold") -> Callable[..., None]:
    """Return a test for every rule up to *tier*, for the adapter that *file* is a test of."""
    above = Path(file).absolute().parents
    folder = next(one for one in above if (one / "pyproject.toml").exists())
    wanted = TIERS[: TIERS.index(tier) + 1]

    rules = [one for one in RULES if one.tier in wanted]

    @pytest.mark.parametrize("rule", rules, ids=lambda one: one.id)
    def test_conformance(rule: Rule) -> None:
        _judge(asyncio.run(outcome(rule, Bench.at(folder))))

    return test_conformance


def _judge(found: Outcome) -> None:
    if found.state == "not_applicable":
        pytest.skip(found.what)
    if found.state == "broken":
        place = f"\n  --> {found.file}:{found.line}" if found.file else ""
        fix = f"\n  fix: {found.fix}" if found.fix else ""
        pytest.fail(f"{found.rule.text}\n  {found.what}{place}{fix}", pytrace=False)
