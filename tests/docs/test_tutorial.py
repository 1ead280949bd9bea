"""The tutorial's commands, as they stand on the page, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks

PAGE = ROOT / "docs/tutorial/first-day.md"


def script() -> str:
    """Return what a reader types; only the port differs, since 8700 may be taken here."""
    typed = "\n".join(block.text for block in blocks(PAGE, "bash"))
    stop = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"
    return f"set -euo pipefail\n{stop}\n{typed}".replace("demo --json", "demo --json --port 0")


@pytest.mark.slow
def test_the_first_day_works_as_written(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)

    reader = subprocess.run(
        ["bash", "-c", script()],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100,
        env={**os.environ, "TMPDIR": str(tmp_path)}, check=False,
    )  # fmt: skip

    said = reader.stdout
    lines = said.splitlines()

    assert reader.returncode == 0, said
    assert [one.name for one in tmp_path.iterdir()] == [".venv"]
    assert "Refund ¥399.00" in lines
    assert "The customer has been refunded ¥399.00." in lines, said
    assert "202" in lines
    effects = dict(
        line.split(": ", 1) for line in lines if line.endswith("}") and ": {" in line
    )
    assert {system: json.loads(counted) for system, counted in effects.items()} == {
        "Shop": {"return_created": 1},
        "Payments": {"refund": 1},
        "Warehouse and accounting": {"receipt": 1, "credit_note": 1},
        "CRM": {"activity_recorded": 1},
        "Tickets": {"case_opened": 1},
    }, said


def test_the_first_half_needs_one_command() -> None:
    assert [block.text for block in blocks(PAGE, "sh")] == ["make demo\n"]
