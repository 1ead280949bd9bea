"""``deskhub audit verify`` finds what was changed behind the hub's back."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
from typer.testing import CliRunner

from deskhub.cli import app
from deskhub.clock import SystemClock
from deskhub.store import audit
from deskhub.store.store import Store
from tests.actions.conftest import running

HUB_TOML = 'schema = 1\n[hub]\nstore = "sqlite:///hub.db"\n'


async def _write(file: Path) -> None:
    store = await Store.open(f"sqlite:///{file}", SystemClock())
    async with running(store):
        for number in range(3):
            await store.transact(
                "main",
                lambda tx, n=number: audit.record(
                    tx.connection, "main", tx.now, actor="agent:a", what="x", object_="o",
                    data={"n": n},
                ),
            )  # fmt: skip
    await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hub.toml").write_text(HUB_TOML)
    asyncio.run(_write(tmp_path / "hub.db"))
    return tmp_path


def verify(folder: Path, *options: str):
    config = ["--config", str(folder / "hub.toml")]
    return CliRunner().invoke(app, ["audit", "verify", *config, *options])


def change(folder: Path, statement: str) -> None:
    with closing(connect(folder / "hub.db")) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_whole_trail_says_its_head(folder: Path) -> None:
    told = verify(folder, "--json")

    assert told.exit_code == 0, told.output
    head = json.loads(told.stdout)["data"]["main"]
    assert head["rows"] == 3
    assert verify(folder, "--head", head["head"]).exit_code == 0


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE audit SET actor = 'agent:b' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("UPDATE audit SET seq = 7 WHERE seq = 3", 3),
    ],
)
def test_what_was_changed_is_named(folder: Path, statement: str, row: int) -> None:
    change(folder, statement)

    told = verify(folder)

    assert told.exit_code == 8
    assert f"broken at row {row}" in told.output
    assert "DH170" in told.output


def test_a_cut_end_shows_by_the_head_that_was_kept(folder: Path) -> None:
    head = json.loads(verify(folder, "--json").stdout)["data"]["main"]["head"]
    change(folder, "DELETE FROM audit WHERE seq = 3")

    assert verify(folder).exit_code == 0
    assert verify(folder, "--head", head).exit_code == 8
