"""The README's commands, as a stranger would type them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import group_of
from tests.docs.blocks import ROOT, blocks
from tests.support.desk import answers, until

PAGE = ROOT / "README.md"
LINES = [line for block in blocks(PAGE, "sh") for line in block.text.splitlines()]
MADE = [line.split() for line in LINES if line.startswith("make ")]


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


def test_a_stranger_needs_three_packages_and_make() -> None:
    assert LINES[:2] == ["apt-get install python3-venv make git", "make demo"]
    assert all(line.startswith(("apt-get ", "make ")) for line in LINES)


@pytest.mark.parametrize("words", MADE, ids=" ".join)
def test_a_command_of_the_readme_exists(words: list[str]) -> None:
    dry = subprocess.run(
        ["make", "--dry-run", f"VENV={sys.prefix}", *words[1:]],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert words[1] in targets()
    assert dry.returncode == 0, dry.stderr


def test_ci_does_what_the_readme_says() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()

    assert {"make test", "make check"} <= set(lines) & set(LINES)


@pytest.mark.slow
def test_make_demo_starts_everything_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    # The environment is there already: what would build it is taken as done.
    done = Path(sys.prefix, ".ready")
    with subprocess.Popen(
        ["make", "--no-print-directory", f"VENV={sys.prefix}", f"--old-file={done}", "demo", "ARGS=--json --port 0"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as make:  # fmt: skip
        assert make.stdout is not None
        line = make.stdout.readline()
        assert line, make.stderr.read() if make.stderr else ""
        told = json.loads(line)
        addresses = (told["console"], told["shop"], f"{told['api']}/readyz")
        answered = [answers(address) for address in addresses]

        os.killpg(make.pid, signal.SIGINT)
        make.communicate(timeout=30)

    assert answered == [True, True, True]
    until(lambda: group_of(make) == set(), "every process has ended")
    assert list(tmp_path.iterdir()) == []


def test_one_sentence_stands_on_one_line() -> None:
    """Changes are then read sentence by sentence; the lists of things to try are exempt."""
    prose = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line and line[0].isalpha() and not line.startswith("make ")
    ]
    # A full stop inside a line that is followed by a capital starts a second sentence.
    crowded = [line for line in prose if re.search(r"[a-z]\. [A-Z]", line)]

    assert crowded == []
