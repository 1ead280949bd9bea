"""The tables' version: moved forward at start, refused when it is too new for this code.

Two numbers stand in the database. *version* is the last migration it went through; *compat*
is the oldest code that can still work with it. A release may be followed by the one before it
as long as migrations only add (expand); what takes something away (contract) comes a release
later and raises *compat*.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from deskhub.store import failpoints, tables
from deskhub.store.sabotage import sabotaged

__all__ = [
    "VERSION",
    "SchemaTooNew",
    "State",
    "migrate",
    "prepare",
    "state_in",
    "state_of",
    "tables",
]

log = logging.getLogger("deskhub.store")

# The last file in migrations/versions, and the oldest version of the code that can work with
# what it leaves behind. A test compares them: reading the files would slow every start.
VERSION = 12
MIGRATIONS = Path(__file__).parent / "migrations"

# Not in the metadata: these rows belong to the database and not to a tenant.
_own = sa.MetaData()
_version = sa.Table(
    "schema_version",
    _own,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("compat", sa.Integer, nullable=False),
)
# Any number, as long as nobody else locks it: two processes must not migrate at a time.
_LOCK = 0x6465736B687562


class SchemaTooNew(Exception):
    """A newer Deskhub has written to this database; this one would not understand it."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a database stands: its *version*, and the oldest code that understands it."""

    version: int
    compat: int


def prepare(engine: sa.Engine, *, target: int = VERSION, folder: Path = MIGRATIONS) -> None:
    """Bring the database to this version's tables, one migration and transaction at a time.

    A process that is killed in the middle leaves the database at a version between, never
    inside one; the next start goes on from there. Raises `SchemaTooNew`.
    """
    while True:
        with engine.begin() as connection:
            _trouble(connection)
            if not _step(connection, target, folder):
                return


def migrate(
    connection: sa.Connection, *, target: int = VERSION, folder: Path = MIGRATIONS
) -> None:
    """Do as `prepare` does, in the transaction of *connection*. Raises `SchemaTooNew`."""
    while _step(connection, target, folder):
        pass


def state_of(connection: sa.Connection) -> State:
    """Return where the database stands; version 0 is an empty one."""
    if not sa.inspect(connection).has_table(_version.name):
        return State(0, 0)
    row = connection.execute(sa.select(_version.c.version, _version.c.compat)).first()
    return State(row.version, row.compat) if row else State(0, 0)


def state_in(path: Path) -> State:
    """Return where the database file at *path* stands, without changing it."""
    engine = sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            return state_of(connection)
    finally:
        engine.dispose()


def _trouble(connection: sa.Connection) -> None:
    """Let a test's process die between statements, or commit each of them."""
    if failpoints.IS_SET:
        sa.event.listen(
            connection,
            "before_cursor_execute",
            lambda *_: failpoints.reach("migration.statement"),
        )
    if sabotaged("half_migrations"):
        sa.event.listen(
            connection, "after_cursor_execute", lambda *_: connection.connection.commit()
        )


def _step(connection: sa.Connection, target: int, folder: Path) -> bool:
    """Apply the next migration; return whether there was one."""
    state = state_of(connection)
    if state.version < target and connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        state = state_of(connection)
    if state.compat > target:
        raise SchemaTooNew(
            f"the database is at version {state.version:04} and needs code of at least "
            f"{state.compat:04}; this version knows {target:04}"
        )
    if state.version >= target:
        return False
    # Importing alembic takes longer than reading the version, which is right at most starts.
    from deskhub.store.migrations.apply import apply  # noqa: PLC0415

    version, compat = apply(connection, folder, state.version)
    _own.create_all(connection)
    connection.execute(_version.delete())
    connection.execute(_version.insert().values(id=1, version=version, compat=compat))
    log.info("schema_migrated", extra={"version": version, "compat": compat})
    return True
