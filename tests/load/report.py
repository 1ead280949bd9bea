"""What the suite says: rows of a table, each with its target and whether it is met."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line: *what* was measured, the *figure*, its *target*, and whether it was met.

    *values* are the same figures for machines. *met* is None where there is no target.
    """

    what: str
    figure: str
    target: str = ""
    met: bool | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: "-"}[self.met]


def written(row: Row) -> str:
    """Return *row* as a line of the table."""
    return f"{row.what:58} | {row.figure:46} | {row.verdict:6} | {row.target}"


HEAD = f"{'what':58} | {'measured':46} | {'':6} | target\n{'-' * 59}|{'-' * 48}|{'-' * 8}|{'-' * 30}"


def conditions() -> dict[str, Any]:
    """Return when and where this runs, and how busy the machine is with other things."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def as_json(
    rows: Sequence[Row], before: dict[str, Any], after: dict[str, Any]
) -> dict[str, Any]:
    """Return everything for a file."""
    return {"before": before, "after": after, "rows": [asdict(row) for row in rows]}


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
