"""What differs between databases: how they are opened, entered, read and kept in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import sqlalchemy as sa

T = TypeVar("T")


class Refused(Exception):
    """The server answers, and does not let us in: a wrong user, password or database."""


class FileRefused(Exception):
    """The database's file is held by another program, damaged, or no database at all."""


class Database(Protocol):
    """One database, with a writing connection and several reading ones."""

    # Whether other processes write to it too.
    is_shared: bool

    @property
    def writer(self) -> sa.Engine:
        """Return the engine of the one writing connection; use it inside `enter`."""
        ...

    async def prepare(self) -> None:
        """Bring the database to this version's tables. Raises `SchemaTooNew`, `StoreDown`."""
        ...

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Return what *query* finds in one consistent transaction. Raises `StoreDown`."""
        ...

    def enter(self, work: Callable[[], T]) -> T:
        """Run *work* on the writer's thread, where it may use `writer`."""
        ...

    def left(self) -> None:
        """Let go of what `enter` held; the last call on the writer's thread."""
        ...

    def between(self, connection: sa.Connection) -> None:
        """Do what the writing connection needs between two transactions."""
        ...

    async def scrub(self) -> bool:
        """Let no file of this database hold what was overwritten; return whether it is so.

        False: somebody still reads an older state. Try again later.
        """
        ...

    async def run(self) -> None:
        """Keep the database in order until cancelled."""
        ...

    async def close(self) -> None:
        """Close every connection, after the writer has ended."""
        ...
