"""What holds for every test of the repository."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import databases


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave browser tests to a run of their own: `pytest tests/e2e`.

    Playwright keeps an event loop running in the main thread, in which no other asyncio test
    could run afterwards.
    """
    if collection_path.name == "e2e" and not any("e2e" in str(arg) for arg in config.args):
        return True
    return None


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the url of an empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    with databases.postgres() as url:
        yield url
