"""INSERT … ON CONFLICT in the words of either database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


class Upsert:
    """An insert into *table* that tolerates a row of the same key.

    It writes the other columns anew, except those in *keep*; with *ignore* it writes nothing.
    """

    def __init__(
        self, table: sa.Table, *, ignore: bool = False, keep: Sequence[str] = ()
    ) -> None:
        """Make the statement for each database when it is first needed."""
        self._table = table
        self._ignore = ignore
        self._keep = set(keep)
        self._made: dict[str, sa.Executable] = {}

    def on(self, dialect: sa.Dialect) -> sa.Executable:
        """Return the statement for *dialect*."""
        known = self._made.get(dialect.name)
        if known is None:
            known = self._made[dialect.name] = self._for(dialect.name)
        return known

    def _for(self, name: str) -> sa.Executable:
        module: Any = postgresql if name == "postgresql" else sqlite
        statement = module.insert(self._table)
        keys = [column.name for column in self._table.primary_key]
        values = {
            column.name: statement.excluded[column.name]
            for column in self._table.columns
            if column.name not in keys and column.name not in self._keep
        }
        made: sa.Executable
        if self._ignore or not values:
            made = statement.on_conflict_do_nothing()
        else:
            made = statement.on_conflict_do_update(index_elements=keys, set_=values)
        return made
