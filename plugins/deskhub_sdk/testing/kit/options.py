"""The pytest plugin: ``pytest --adapter DIR``. It costs nothing until it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--adapter DIR``."""
    parser.addoption("--adapter", metavar="DIR", help="run Deskhub's conformance kit on DIR")


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add one test for each rule."""
    folder = config.getoption("--adapter")
    if folder:
        from deskhub_sdk.testing.kit.plugin import items_of  # noqa: PLC0415

        items.extend(items_of(session, Path(folder)))
