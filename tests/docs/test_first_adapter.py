"""The integrator's tutorial, as it stands on the page: from nothing to an adapter at silver."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks
from tests.e2e.scorecard import record

PAGE = ROOT / "docs/tutorial/first-adapter.md"
# What the page promises; the machine may be busy with other tests.
WITHIN_S = 600


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S)
def test_the_first_adapter_is_silver_as_written(tmp_path: Path) -> None:
    typed = "\n".join(block.text for block in blocks(PAGE, "bash"))
    began = time.monotonic()

    reader = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{typed}"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=WITHIN_S - 10, check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip

    said = reader.stdout
    tiers = [line.split()[1] for line in said.splitlines() if line.startswith("quality:")]
    assert reader.returncode == 0, said
    assert tiers == ["bronze", "silver"], said
    assert "FAIL" not in said
    took = time.monotonic() - began
    record("integrator-time", round(took / 60, 2), "min")
    assert took < WITHIN_S


def test_the_start_is_four_files_with_sixty_lines_at_most(tmp_path: Path) -> None:
    first = next(block.text for block in blocks(PAGE, "bash"))
    (new,) = [line for line in first.splitlines() if line.startswith("deskhub adapter new")]

    subprocess.run([sys.executable, "-m", *new.split()], cwd=tmp_path, check=True)

    written = [one for one in tmp_path.rglob("*") if one.is_file()]
    lines = sum(len(one.read_text(encoding="utf-8").splitlines()) for one in written)
    record("integrator-files", len(written), "files")
    record("integrator-lines", lines, "lines")
    assert len(written) <= 4
    assert lines <= 60


def test_the_page_can_be_read_in_one_sitting() -> None:
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 150
