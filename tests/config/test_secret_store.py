"""The secret store: what it gives back, what opens it, and what a kill leaves of it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deskhub.config import ConfigProblems, load
from deskhub.config.secret_store import (
    FILE,
    KEY_FILE,
    SecretMissing,
    SecretStore,
    SecretStoreError,
)

CANARY = "canary-9d2e77"
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OTHER = base64.urlsafe_b64encode(b"o" * 32).decode()


def contents(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.iterdir() if path.is_file())


def test_a_secret_comes_back_and_is_nowhere_in_clear(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {})
    store.put("main", "shop-token", CANARY)
    store.put("other", "shop-token", "another")

    assert SecretStore(tmp_path, {}).get("main", "shop-token") == CANARY
    assert store.names("main") == ["shop-token"]
    assert CANARY not in contents(tmp_path)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600] * 3


def test_one_that_is_not_there_is_said_by_name(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {})
    with pytest.raises(SecretMissing, match="'shop-token'"):
        store.get("main", "shop-token")

    store.put("main", "shop-token", CANARY)
    assert store.remove("main", "shop-token")
    assert not store.remove("main", "shop-token")
    with pytest.raises(SecretMissing):
        store.get("main", "shop-token")


def test_a_value_that_was_moved_to_another_tenant_does_not_open(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {})
    store.put("main", "token", CANARY)
    book = json.loads((tmp_path / FILE).read_text())
    book["secrets"]["evil/token"] = book["secrets"]["main/token"]
    (tmp_path / FILE).write_text(json.dumps(book))

    with pytest.raises(SecretStoreError, match="changed or moved"):
        store.get("evil", "token")


def test_the_values_alone_open_nothing(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {})
    store.put("main", "token", CANARY)
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(SecretStoreError, match=r"secrets\.key does not hold the key"):
        store.get("main", "token")
    with pytest.raises(SecretStoreError):
        store.put("main", "second", "would be lost with the next key")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {})
    store.put("main", "token", CANARY)
    (tmp_path / KEY_FILE).chmod(0o644)

    with pytest.raises(SecretStoreError, match="chmod 600"):
        store.get("main", "token")


def test_a_key_in_the_environment_leaves_none_on_disk_and_can_be_changed(
    tmp_path: Path,
) -> None:
    SecretStore(tmp_path, {"DESKHUB_KEK": KEY}).put("main", "token", CANARY)
    assert not (tmp_path / KEY_FILE).exists()

    changing = SecretStore(tmp_path, {"DESKHUB_KEK": OTHER, "DESKHUB_KEK_BEFORE": KEY})
    assert changing.get("main", "token") == CANARY
    assert changing.rotate() == 1

    assert SecretStore(tmp_path, {"DESKHUB_KEK": OTHER}).get("main", "token") == CANARY
    with pytest.raises(SecretStoreError, match="DESKHUB_KEK does not hold the key"):
        SecretStore(tmp_path, {"DESKHUB_KEK": KEY}).get("main", "token")


def test_after_a_rotation_neither_the_old_key_nor_the_old_values_are_left(
    tmp_path: Path,
) -> None:
    store = SecretStore(tmp_path, {})
    store.put("main", "token", CANARY)
    before = (tmp_path / FILE).read_text(), (tmp_path / KEY_FILE).read_text()

    assert store.rotate() == 1

    after = (tmp_path / FILE).read_text(), (tmp_path / KEY_FILE).read_text()
    assert store.get("main", "token") == CANARY
    assert len(after[1].split()) == 1
    assert not set(before[1].split()) & set(after[1].split())
    assert json.loads(before[0])["data_key"] != json.loads(after[0])["data_key"]


# Every call that changes a file counts; the process ends before the one whose turn it is.
KILLED = """
import os, sys
from pathlib import Path
from deskhub.config.secret_store import SecretStore
left, at_once = int(sys.argv[2]), sys.argv[3] == "sabotaged"
def dying(call):
    def reach(*arguments, **more):
        global left
        left -= 1
        if left < 0:
            os._exit(137)
        return call(*arguments, **more)
    return reach
store = SecretStore(Path(sys.argv[1]), {})
if at_once:
    # The twin: the old key goes before what it opens.
    honest = SecretStore._write_keys
    SecretStore._write_keys = lambda self, keys: honest(self, keys[:1])
for name in ("open", "fsync", "replace", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
store.rotate()
"""


def killed_at(folder: Path, step: int, how: str = "honest") -> int:
    """Rotate in a process that ends before the *step*-th change of a file."""
    command = [sys.executable, "-c", KILLED, str(folder), str(step), how]
    return subprocess.run(command, check=False, timeout=60).returncode


def test_a_kill_at_any_step_of_a_rotation_loses_nothing(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {})
    store.put("main", "token", CANARY)
    steps = 0
    while killed_at(tmp_path, steps) == 137:
        assert store.get("main", "token") == CANARY, steps
        steps += 1

    assert steps > 8
    assert store.get("main", "token") == CANARY
    assert len((tmp_path / KEY_FILE).read_text().split()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {FILE, KEY_FILE, ".secrets.lock"}


def test_without_keeping_the_old_key_a_kill_would_lose_everything(tmp_path: Path) -> None:
    store = SecretStore(tmp_path, {})
    store.put("main", "token", CANARY)
    lost = False
    for step in range(20):
        if killed_at(tmp_path, step, "sabotaged") != 137:
            break
        try:
            store.get("main", "token")
        except SecretStoreError:
            lost = True
            break

    assert lost


def test_hub_toml_refers_to_it_by_name(tmp_path: Path) -> None:
    SecretStore(tmp_path / "data", {}).put("acme", "shop-token", CANARY)
    path = tmp_path / "hub.toml"
    text = '[adapters.shop]\ntenant = "acme"\nconfig = { token = { store = "shop-token" } }\n'
    path.write_text(text)

    config = load(path)
    assert config.adapters["shop"].config["token"] == CANARY
    assert CANARY not in repr(config)

    path.write_text(text.replace("acme", "main"))
    with pytest.raises(ConfigProblems) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == ("DH304", ("adapters", "shop", "config", "token"))
    assert problem.fix == "deskhub secret set shop-token"
    assert os.listdir(tmp_path / "data")
