"""``backup``, ``restore`` and ``migrate`` as people use them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from deskhub.store.hold import Hold
from tests.support.databases import postgres

Run = Callable[..., Result]
HUB_TOML = '[hub]\nlisten = "127.0.0.1:8700"\n'


@pytest.fixture
def here(hub_toml: Callable[[str], Path], deskhub: Run) -> Path:
    """An installation with one person in it."""
    path = hub_toml(HUB_TOML)
    deskhub("user", "add", "li@example.com", "-c", path, given="a long passphrase\n")
    return path


def test_a_backup_is_checked_and_put_back(here: Path, deskhub: Run, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.gz"
    made = json.loads(deskhub("backup", "--to", archive, "-c", here, "--json").stdout)["data"]
    deskhub("user", "add", "late@example.com", "-c", here, given="a long passphrase\n")

    checked = deskhub("restore", archive, "--verify", "--sha256", made["sha256"], "-c", here)
    other = deskhub("restore", archive, "--verify", "--sha256", "00", "-c", here)
    asked = deskhub("restore", archive, "-c", here)
    planned = deskhub("restore", archive, "--dry-run", "-c", here)
    before = deskhub("user", "list", "-c", here).stdout
    done = deskhub("restore", archive, "--yes", "-c", here)
    people = deskhub("user", "list", "-c", here).stdout

    assert (checked.exit_code, other.exit_code, asked.exit_code) == (0, 8, 2)
    assert "is whole" in checked.stdout
    assert "DH155" in other.stderr
    assert "would replace" in planned.stdout
    assert "late@" in before
    assert done.exit_code == 0
    assert "li@" in people
    assert "late@" not in people
    (aside,) = (tmp_path / "data").glob("before-restore-*")
    assert {"deskhub.db", "keys.json"} <= {path.name for path in aside.iterdir()}


def test_a_running_hub_is_not_restored_over(here: Path, deskhub: Run, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.gz"
    deskhub("backup", "--to", archive, "-c", here)
    share = Hold(tmp_path / "data/deskhub.db")

    refused = deskhub("restore", archive, "--yes", "-c", here)
    share.release()

    assert refused.exit_code == 7
    assert "DH153" in refused.stderr


def test_what_is_not_there_is_said(here: Path, deskhub: Run, tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_bytes(b"no archive")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "hub.toml").write_text(HUB_TOML)

    assert deskhub("restore", tmp_path / "none", "-c", here).exit_code == 4
    assert deskhub("restore", tmp_path / "rubbish", "--yes", "-c", here).exit_code == 8
    assert deskhub("backup", "-c", empty / "hub.toml").exit_code == 4


def test_migrate_says_where_the_database_stands(
    here: Path, deskhub: Run, tmp_path: Path
) -> None:
    now = deskhub("migrate", "status", "-c", here)
    nothing = deskhub("migrate", "up", "-c", here)
    with sqlite3.connect(tmp_path / "data/deskhub.db") as db:
        db.execute("UPDATE schema_version SET version = 99, compat = 98")
    db.close()
    newer = deskhub("migrate", "status", "--json", "-c", here)
    up = deskhub("migrate", "up", "-c", here)
    served = deskhub("serve", "-c", here)

    assert (now.exit_code, nothing.exit_code) == (0, 0)
    assert "nothing to do" in now.stdout
    assert json.loads(newer.stdout)["data"]["state"] == "too_new"
    assert [newer.exit_code, up.exit_code, served.exit_code] == [11, 11, 11]
    assert "error[DH151]: the database is at version 0099" in served.stderr


def test_an_empty_place_has_no_database_yet(
    hub_toml: Callable[[str], Path], deskhub: Run
) -> None:
    path = hub_toml(HUB_TOML)

    before = deskhub("migrate", "status", "-c", path)
    moved = deskhub("migrate", "up", "-c", path)

    assert before.exit_code == 0
    assert "no database yet" in before.stdout
    assert "moved from 0000 to" in moved.stdout


def test_a_new_epoch_can_be_begun_alone(here: Path, deskhub: Run, tmp_path: Path) -> None:
    def epoch() -> str:
        with sqlite3.connect(tmp_path / "data/deskhub.db") as db:
            found = db.execute("SELECT epoch FROM tenant").fetchone()[0]
        db.close()
        return str(found)

    before = epoch()
    done = deskhub("restore", "--renew", "-c", here)

    assert done.exit_code == 0
    assert epoch() != before


def test_a_database_server_is_backed_up_by_its_own_tools(
    hub_toml: Callable[[str], Path], deskhub: Run, tmp_path: Path
) -> None:
    with postgres() as url:
        path = hub_toml(f'[hub]\nstore = "{url}"\n')

        before = deskhub("migrate", "status", "-c", path)
        moved = deskhub("migrate", "up", "-c", path)
        refused = deskhub("backup", "-c", path)
        renewed = deskhub("restore", "--renew", "-c", path)

    assert "no database yet" in before.stdout
    assert "moved from 0000" in moved.stdout
    assert refused.exit_code == 2
    assert "pg_dump" in refused.stderr
    assert renewed.exit_code == 0
    assert "new epoch" in renewed.stdout
