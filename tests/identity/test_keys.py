"""Signing keys are made once, are the owner's alone, and are never weak."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deskhub.identity.errors import KeysUnsafe
from deskhub.identity.keys import FILE, open_keys


def test_keys_are_made_at_the_first_start_and_stay(tmp_path: Path) -> None:
    first = open_keys(tmp_path / "data")

    assert open_keys(tmp_path / "data") == first
    assert len(first.signing) >= 43
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        tables = list(threads.map(lambda _: open_keys(tmp_path), range(16)))

    assert len({table.signing for table in tables}) == 1
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_keys(tmp_path)
    (tmp_path / FILE).chmod(0o644)

    with pytest.raises(KeysUnsafe, match="chmod 600"):
        open_keys(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"current": "a"}',
        '{"current": "b", "keys": {"a": "' + "k" * 50 + '"}}',
        '{"current": "a", "keys": {"a": "secret"}}',
        '{"current": "a", "keys": {"a": 7}}',
    ],
)
def test_a_file_without_strong_keys_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    (tmp_path / FILE).chmod(0o600)

    with pytest.raises(KeysUnsafe):
        open_keys(tmp_path)


def test_an_older_key_still_verifies(tmp_path: Path) -> None:
    old = open_keys(tmp_path)
    raw = json.loads((tmp_path / FILE).read_text())
    raw["keys"]["new"] = "n" * 50
    raw["current"] = "new"
    (tmp_path / FILE).write_text(json.dumps(raw))

    table = open_keys(tmp_path)

    assert table.current == "new"
    assert table.secret(old.current) == old.signing
