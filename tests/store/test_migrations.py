"""The tables and their versions: forward in one piece, however often it is interrupted."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from deskhub.clock import SystemClock
from deskhub.store import schema
from deskhub.store.engine import writer_engine
from deskhub.store.metadata import metadata
from deskhub.store.postgres import Postgres
from deskhub.store.store import Store
from tests.support.databases import postgres
from tests.support.migrations import ADDS, TAKES, later


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return writer_engine(f"sqlite:///{tmp_path / 'hub.db'}")


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a later release."""
    return later(tmp_path)


def versions() -> dict[int, int]:
    """Return compat by version, as the files say."""
    found = {}
    for file in (schema.MIGRATIONS / "versions").glob("*.py"):
        names = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.Assign)
        }
        assert file.name.startswith(names["revision"] + "_")
        found[int(names["revision"])] = int(names["compat"])
    return found


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: sa.Engine) -> None:
    schema.prepare(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _o, name, *_: not str(name).startswith("schema_"),
            },
        )
        assert compare_metadata(context, metadata) == []


async def test_postgresql_gets_the_same_tables() -> None:
    def differences(connection: sa.Connection) -> list[object]:
        opts = {
            "compare_type": True,
            "include_object": lambda _o, name, *_: not str(name).startswith("schema_"),
        }
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, metadata))

    with postgres() as url:
        server = Postgres(url)
        for _ in range(2):
            await server.prepare()

        assert await server.read(differences) == []
        assert await server.read(schema.state_of) == schema.State(schema.VERSION, 1)
        await server.close()


async def test_two_processes_that_start_together_on_postgresql_migrate_once() -> None:
    with postgres() as url:
        servers = [Postgres(url) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(server.prepare())

        assert (await servers[0].read(schema.state_of)).version == schema.VERSION
        for server in servers:
            await server.close()


def test_the_migrations_and_the_code_write_the_same_sql(
    engine: sa.Engine, tmp_path: Path
) -> None:
    """Partial indexes and orders of keys, which a comparison of objects leaves out."""
    schema.prepare(engine)
    other = writer_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with other.begin() as connection:
        metadata.create_all(connection)

    def sql(of: sa.Engine) -> dict[str, str]:
        with of.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            ).all()
        return {
            name: re.sub(r"\s+|\bDEFAULT\b", " ", text)
            for name, text in rows
            if not name.startswith("schema_")
        }

    assert sql(engine) == sql(other)


def test_every_name_follows_the_convention(engine: sa.Engine) -> None:
    schema.prepare(engine)
    found = sa.inspect(engine)

    for table in found.get_table_names():
        if table.startswith("schema_"):
            continue
        assert found.get_pk_constraint(table)["name"] == f"pk_{table}"
        for index in found.get_indexes(table):
            assert re.match(rf"(ix|uq)_{table}_", str(index["name"])), index["name"]
        for unique in found.get_unique_constraints(table):
            assert str(unique["name"]).startswith(f"uq_{table}_")


def test_the_code_knows_the_last_migration() -> None:
    assert sorted(versions()) == list(range(1, schema.VERSION + 1))
    assert all(compat <= version for version, compat in versions().items())
    assert list(versions().values()) == sorted(versions().values())


def test_a_database_is_moved_forward_once(engine: sa.Engine, newer: Path) -> None:
    schema.prepare(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO tenant VALUES ('main', 'e1', 7)")

    for _ in range(2):
        schema.prepare(engine, target=TAKES, folder=newer)

    with engine.connect() as connection:
        assert schema.state_of(connection) == schema.State(TAKES, ADDS)
        assert connection.exec_driver_sql("SELECT * FROM tenant").all() == [("main", "e1", 7)]
        assert connection.exec_driver_sql(f"SELECT * FROM later_{TAKES:04}").all() == [
            ("moved",)
        ]


async def test_the_release_before_works_with_what_was_only_added_to(
    engine: sa.Engine, newer: Path, tmp_path: Path
) -> None:
    schema.prepare(engine, target=ADDS, folder=newer)
    engine.dispose()

    store = await Store.open(f"sqlite:///{tmp_path / 'hub.db'}", SystemClock())
    await store.close()


async def test_a_database_that_is_too_new_is_refused_and_not_touched(
    engine: sa.Engine, newer: Path, tmp_path: Path
) -> None:
    schema.prepare(engine, target=TAKES, folder=newer)
    engine.dispose()

    with pytest.raises(
        schema.SchemaTooNew, match=f"{TAKES:04}.*at least {ADDS:04}.*knows {schema.VERSION:04}"
    ):
        await Store.open(f"sqlite:///{tmp_path / 'hub.db'}", SystemClock())

    with sqlite3.connect(tmp_path / "hub.db") as db:
        assert db.execute("SELECT version, compat FROM schema_version").fetchall() == [
            (TAKES, ADDS)
        ]


def test_two_processes_that_start_together_migrate_once(tmp_path: Path, newer: Path) -> None:
    db = tmp_path / "hub.db"
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.migrations", str(newer), f"sqlite:///{db}=0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for _ in range(2)
    ]  # fmt: skip
    ends = [(one.communicate(timeout=60), one.returncode) for one in both]

    assert [code for _, code in ends] == [0, 0], ends
    with sqlite3.connect(db) as raw:
        assert raw.execute("SELECT version FROM schema_version").fetchall() == [(TAKES,)]
    raw.close()
