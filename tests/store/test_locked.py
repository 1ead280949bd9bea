"""Another process has the file for itself for a moment, as the first of several after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskhub.store import embedded
from deskhub.store.database import FileRefused
from deskhub.store.embedded import Embedded

# Longer than SQLite itself waits (the writer's `busy_timeout`).
HELD_S = 2.6


@contextlib.contextmanager
def held(file: Path) -> Iterator[sqlite3.Connection]:
    """Keep everybody out of *file*, as recovering does."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield holder


async def opened(file: Path) -> None:
    database = Embedded(f"sqlite:///{file}")
    try:
        await database.prepare()
        assert await database.read(lambda db: db.exec_driver_sql("SELECT 1").scalar()) == 1
    finally:
        await database.close()


async def test_a_hub_that_starts_meanwhile_waits(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    with held(file) as holder:
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(opened(file))
            await asyncio.sleep(HELD_S)
            waited = not starting.done()
            holder.execute("ROLLBACK")

    assert waited


async def test_without_patience_it_would_give_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(embedded, "LOCKED_S", 0.0)
    file = tmp_path / "hub.db"

    with held(file), pytest.raises(FileRefused):
        await opened(file)
