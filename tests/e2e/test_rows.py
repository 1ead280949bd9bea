"""The table of complaints names tests that exist."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.e2e.rows import ROWS

ROOT = Path(__file__).parents[2]
CONSOLE = {*range(1, 9), 10, 11}


def is_there(named: str) -> bool:
    """Return whether *named* is a test."""
    file, _, name = named.partition("::")
    path = ROOT / file
    if not path.is_file() or not name:
        return False
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ts":
        return any("test(" in line and name in line for line in text.splitlines())
    return any(
        isinstance(node, ast.FunctionDef) and node.name == name for node in ast.parse(text).body
    )


@pytest.mark.parametrize("row", sorted(ROWS))
def test_every_test_that_is_named_exists(row: int) -> None:
    assert ROWS[row]
    assert [named for named in ROWS[row] if not is_there(named)] == []


def test_every_row_about_the_console_names_a_test() -> None:
    assert ROWS.keys() >= CONSOLE


@pytest.mark.parametrize(
    "named",
    [
        "tests/e2e/test_drafts.py::test_that_nobody_wrote", "tests/e2e/none.py::test_x",
        "tests/e2e/test_drafts.py::TEXT", "tests/e2e/test_drafts.py::",
        "web/kernel/tests/transport.test.ts::a sentence that no test says",
    ],
)  # fmt: skip
def test_a_test_that_is_not_there_is_found_out(named: str) -> None:
    assert not is_there(named)
