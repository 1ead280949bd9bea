"""The command line in this process, and an installation to run it on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deskhub.cli import app


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
