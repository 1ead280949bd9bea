"""An upgrade is killed between any two statements: the next start completes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import pytest

from deskhub.store.failpoints import EXIT
from tests.faults.scale import SCALE
from tests.support import databases
from tests.support.migrations import ADDS, TAKES, bring, died, later

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NewDatabase = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Yield what makes an empty database and returns its url."""
    numbers = count(1)
    with ExitStack() as stack:

        def make() -> str:
            if request.param == "postgresql":
                return stack.enter_context(databases.postgres())
            return f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"

        yield make


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    if not url.startswith("sqlite"):
        return databases.sql(query, url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return connection.execute(query).fetchall()


def wrong(url: str, folder: Path) -> str:
    """Return what is wrong with the database after one more start; nothing when it is right."""
    try:
        bring(url, folder)
    except Exception as error:
        return f"the next start fails: {error}"
    if rows(url, "SELECT version, compat FROM schema_version") != [(TAKES, ADDS)]:
        return "not at the version"
    for version in (ADDS, TAKES):
        if rows(url, f"SELECT tenant FROM later_{version:04}") != [("moved",)]:
            return f"migration {version:04} ran in part, or twice"
    return ""


def spread(statements: int, many: int) -> list[int]:
    """Return *many* places from the first statement to the last."""
    return sorted({1 + (statements - 1) * n // (many - 1) for n in range(many)})


def test_an_upgrade_killed_between_any_statements_completes_the_next_time(
    new: NewDatabase, tmp_path: Path
) -> None:
    folder, whole = later(tmp_path), new()
    code, statements = died(folder, {whole: 0})[whole]
    assert (code, statements > 30) == (0, True)
    # Every place needs a database, which a server makes slowly.
    many = int((12 if whole.startswith("sqlite") else 5) * SCALE)
    places = {new(): place for place in spread(statements, many)}

    ends = died(folder, places)

    assert {code for code, _ in ends.values()} == {EXIT}
    assert {place: wrong(url, folder) for url, place in places.items()} == dict.fromkeys(
        places.values(), ""
    )


def test_the_check_notices_migrations_that_commit_each_statement(
    new: NewDatabase, tmp_path: Path
) -> None:
    folder, whole = later(tmp_path), new()
    _, statements = died(folder, {whole: 0})[whole]
    places = {new(): place for place in spread(statements, 7)[1:4]}

    ends = died(folder, places, sabotage="half_migrations")

    assert {code for code, _ in ends.values()} == {EXIT}
    assert any(wrong(url, folder) for url in places)
