"""Statements that are turned into SQL once, for the few that run with every commit.

They go to the driver's cursor: SQLAlchemy's way there looks each statement up, converts each
value by its type and describes each result, which is several times the work that SQLite has
with a row (ADR-0023). Values are passed, and rows come back, as the database stores them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from deskhub.store.upsert import Upsert

T = TypeVar("T")
Values = tuple[Any, ...]


class Prepared:
    """One statement with named parameters, run with tuples in the order of *names*."""

    def __init__(self, statement: sa.Executable | Upsert, names: Sequence[str]) -> None:
        """Take *statement*; *names* are its parameters in the order of the values."""
        self._statement = statement
        self._names = list(names)
        self._sql: dict[str, tuple[str, Callable[[Values], Values]]] = {}

    def one(self, connection: sa.Connection, values: Values) -> Values | None:
        """Run it once; return the first row that it finds."""
        sql, placed = self._for(connection.dialect)

        def run(cursor: Any) -> Values | None:  # noqa: ANN401  the driver's own
            cursor.execute(sql, placed(values))
            row: Values | None = cursor.fetchone() if cursor.description else None
            return row

        return on_cursor(connection, sql, run)

    def many(self, connection: sa.Connection, rows: Sequence[Values]) -> None:
        """Run it for every one of *rows*; does nothing without any."""
        if rows:
            sql, placed = self._for(connection.dialect)
            ready = [placed(row) for row in rows]
            on_cursor(connection, sql, lambda cursor: cursor.executemany(sql, ready))

    def _for(self, dialect: sa.Dialect) -> tuple[str, Callable[[Values], Values]]:
        """Return the SQL, and what puts values into the order in which it has them."""
        known = self._sql.get(dialect.name)
        if known is None:
            statement: Any = self._statement
            if isinstance(statement, Upsert):
                statement = statement.on(dialect)
            compiled = statement.compile(dialect=dialect, column_keys=self._names)
            order = [self._names.index(name) for name in compiled.positiontup]
            in_place = order == list(range(len(order)))
            known = self._sql[dialect.name] = (
                str(compiled),
                tuple if in_place else lambda values: tuple([values[at] for at in order]),
            )
        return known


def on_cursor(connection: sa.Connection, sql: str, run: Callable[[Any], T]) -> T:
    """Return what *run* does with a cursor of the driver, for which *sql* stands in errors.

    Raises what SQLAlchemy raises: its `DBAPIError`s, and a dead connection is not used again.
    """
    driver = connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        return run(cursor)
    except driver.Error as error:
        is_gone = connection.dialect.is_disconnect(error, connection.connection, cursor)
        if is_gone:
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            sql, None, error, driver.Error,
            hide_parameters=True, connection_invalidated=is_gone, dialect=connection.dialect,
        ) from error  # fmt: skip
    finally:
        cursor.close()
