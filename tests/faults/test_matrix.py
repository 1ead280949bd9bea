"""The page that states the promises names a test and a twin for every fault, and they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/delivery.md"
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# The network of the other tests, the judge of latencies, and this.
NO_FAULTS = {
    f"tests/faults/test_{name}.py" for name in ("proxy", "compared", "matrix")
}  # fmt: skip


def faults() -> dict[str, tuple[str, str]]:
    """Return test and twin of each row of the page's last table."""
    table = PAGE.read_text(encoding="utf-8").partition("## How far this is tested")[2]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line[:1] == "|"]
    return {name.strip(): (test, twin) for name, test, twin in rows[2:]}


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {
        one.name
        for one in tree.body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name[:5] == "test_"
    }


@pytest.mark.parametrize("fault", sorted(faults()))
def test_a_fault_has_a_test_and_a_twin(fault: str) -> None:
    test, twin = faults()[fault]
    named = _NAMED.findall(test), _NAMED.findall(twin)

    assert named[0]
    assert named[1] or "in the same test" in twin
    for file, name in (*named[0], *named[1]):
        assert name in names_in(file), f"{file} has no {name}"


def test_every_file_of_faults_is_on_the_page() -> None:
    named = {file for pair in faults().values() for file, _ in _NAMED.findall("".join(pair))}
    here = {
        str(file.relative_to(ROOT)) for file in Path(__file__).parent.glob("test_*.py")
    } - NO_FAULTS

    assert here - named == set()
