"""The command line in this process, and an installation to run it on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deskhub.cli import app
from tests.e2e.scorecard import record

# By number of the mistake: how its tests ended.
_told: dict[int, dict[str, bool]] = defaultdict(dict)


@pytest.fixture
def hub_toml(tmp_path: Path) -> Callable[[str], Path]:
    """Write a hub.toml with the given text; return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "hub.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def deskhub() -> Callable[..., Result]:
    """Run a command in this process; paths and numbers may be given as they are."""

    def run(*arguments: object, given: str = "") -> Result:
        result = CliRunner().invoke(app, [str(one) for one in arguments], input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Let the scorecard of ``make test-ui`` know which of the thirty mistakes are told well."""
    report = yield
    number = re.search(r"(?:test_|\[)(\d{1,2})(?:_|-|\])", item.name)
    if item.path.name == "test_catalogue.py" and number and call.when == "call":
        one = int(number[1])
        _told[one][item.name] = report.passed
        record(f"catalogue/{one}", all(_told[one].values()), "of 30")
    return report
