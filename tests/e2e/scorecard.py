"""What the product costs its users and what it was promised to cost: one table for each run.

A test calls `record` with what it counted; a row that nobody recorded in this run says so.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

NOT_MEASURED = "not measured"
# Several processes, and the second try of what failed, are one run of `make test-ui`: each
# appends to this file, so that nothing counted before is lost or taken from an older run.
_KEPT = "DESKHUB_SCORECARD"
SIGNS = {"<=": "≤", ">=": "≥", "==": "="}


@dataclass(frozen=True, slots=True)
class Row:
    """One promise. A value that a test records in parts (``drafts/reload``) is added up."""

    what: str
    sign: Literal["<=", ">=", "=="]
    target: float
    unit: str
    # Where the figure comes from when it is no part of the browser tests.
    elsewhere: str = ""

    def kept(self, value: float) -> bool:
        """Say whether *value* keeps the promise."""
        if self.sign == "==":
            return value == self.target
        return value <= self.target if self.sign == "<=" else value >= self.target

    @property
    def promise(self) -> str:
        """Return the target as people write it."""
        return f"{SIGNS[self.sign]} {_number(self.target)} {self.unit}"


ROWS: Mapping[str, Row] = {
    "demo-fresh": Row("make demo, fresh machine", "<=", 60, "s", "make demo in a fresh clone"),
    "demo-second": Row("make demo, second time", "<=", 5, "s"),
    "return-clicks": Row("return across five systems, by mouse", "<=", 5, "clicks"),
    "return-keys": Row("return across five systems, by keyboard", "<=", 7, "keys"),
    "canned-keys": Row("answer the next waiting chat, saved reply", "<=", 6, "keys"),
    "widget-before": Row("widget before opening, gzip", "<=", 3, "kB"),
    "widget-after": Row("widget after opening, gzip", "<=", 35, "kB"),
    "console-first": Row("console first load, gzip", "<=", 230, "kB"),
    "paint": Row("key to paint p95, 10,000 conversations, 50 events/s", "<=", 50, "ms"),
    "long-open": Row("conversation of 20,000 messages opens", "<=", 200, "ms"),
    "long-tasks": Row("… long tasks > 200 ms meanwhile and while reading", "==", 0, "tasks"),
    "offline": Row("60 s offline, then everything is shown", "<=", 2, "s"),
    "offline-wrong": Row("… messages lost, doubled or out of order", "==", 0, "messages"),
    "row-moved": Row("row under the pointer moved over 50 inserts", "==", 0, "px"),
    "axe": Row("axe violations, every screen × theme × language", "==", 0, "violations"),
    "drafts": Row("drafts that survive", ">=", 8, "of 8"),
    "integrator-time": Row("integrator to a passing conformance test", "<=", 10, "min"),
    "integrator-files": Row("… files written", "<=", 4, "files"),
    "integrator-lines": Row("… lines written", "<=", 60, "lines"),
    "catalogue": Row("mistakes told with line, cause and fix", ">=", 30, "of 30"),
}


@dataclass
class Scorecard:
    """What this run counted: by row and part, and lines that explain them."""

    found: dict[str, dict[str, float]] = field(default_factory=dict)
    lines: dict[str, dict[str, str]] = field(default_factory=dict)
    violations: dict[str, dict[str, int]] = field(default_factory=dict)

    def record(self, key: str, value: float, unit: str) -> None:
        """Keep the *value* of a row (``return-keys``) or of a part of it (``drafts/reload``).

        *unit* is the row's own; another one is a mistake of the test.
        """
        name, _, part = key.partition("/")
        row = ROWS[name]
        if unit != row.unit:
            raise ValueError(f"{name} is counted in {row.unit}, not in {unit}")
        self._count("found", name, part, float(value))

    def note(self, section: str, what: str, value: str) -> None:
        """Keep a line that stands below the table."""
        self._count("lines", section, what, value)
        if section == "drafts":
            self.record(f"drafts/{what}", value == "kept", "of 8")

    def violated(self, screen: str, look: str, count: int) -> None:
        """Keep how many rules of accessibility *screen* breaks in *look* (theme, language)."""
        self._count("violations", screen, look, count)
        self.record(f"axe/{screen}/{look}", count, "violations")

    def text(self, *, command: str = "make test-ui") -> Sequence[str]:
        """Return the table, and below it what explains it; empty when nothing was counted."""
        if not self.found and not self.lines:
            return []
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        load = os.getloadavg()[0]
        machine = (
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, load {load:.1f}"
        )
        told = [f"{command} · {machine} · {now}", "", *_table(self.found)]
        for section, lines in self.lines.items():
            told += ["", section, *(f"  {what:<44} {value}" for what, value in lines.items())]
        if self.violations:
            told += ["", *_matrix(self.violations)]
        return told

    def load(self) -> None:
        """Take over what was counted before in this run, by another process or an earlier try."""
        kept = _kept_file()
        lines = kept.read_text(encoding="utf-8").splitlines() if kept else []
        for what, *told in map(json.loads, lines):
            self._put(what, *told)

    def _count(self, what: str, *told: Any) -> None:
        self._put(what, *told)
        kept = _kept_file()
        if kept is not None:
            with kept.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([what, *told]) + "\n")

    def _put(self, what: str, one: str, other: str, value: Any) -> None:
        table: dict[str, dict[str, Any]] = getattr(self, what)
        table.setdefault(one, {})[other] = value


def _kept_file() -> Path | None:
    """Return where a run keeps its counts; the Makefile makes the file and removes it."""
    name = os.environ.get(_KEPT)
    return Path(name) if name else None


def _table(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    head = f"{'promise':<52} {'target':<16} {'counted':<16} "
    told = [head, "-" * (len(head) + 12)]
    for key, row in ROWS.items():
        parts = found.get(key)
        if not parts:
            where = f"({row.elsewhere})" if row.elsewhere else ""
            told.append(f"{row.what:<52} {row.promise:<16} {NOT_MEASURED:<16} {where}".rstrip())
            continue
        value = sum(parts.values())
        verdict = "kept" if row.kept(value) else "NOT KEPT"
        counted = f"{_number(value)} {row.unit}"
        told.append(
            f"{row.what:<52} {row.promise:<16} {counted:<16} {verdict}{_from(key, parts)}"
        )
    return told


def _from(key: str, parts: Mapping[str, float]) -> str:
    """Say what a sum was counted over."""
    if key == "axe":
        screens = {part.partition("/")[0] for part in parts}
        return f" ({len(screens)} screens, {len(parts)} looks at them)"
    lost = [part for part, value in parts.items() if part and not value]
    return f" (lost: {', '.join(lost)})" if key == "drafts" and lost else ""


def _number(value: float) -> str:
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _matrix(violations: Mapping[str, Mapping[str, int]]) -> list[str]:
    looks = list(dict.fromkeys(look for row in violations.values() for look in row))
    head = "".join(f"{look:>14}" for look in looks)
    rows = [
        f"  {screen:<20}" + "".join(f"{row.get(look, '-'):>14}" for look in looks)
        for screen, row in violations.items()
    ]
    return [f"axe violations{'':<8}{head}", *rows]


CARD = Scorecard()
record = CARD.record
