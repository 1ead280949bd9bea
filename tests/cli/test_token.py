"""``deskhub token`` against an installation of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def desk(hub_toml: Callable[[str], Path]) -> Path:
    return hub_toml('[hub]\nstore = "sqlite:///data/deskhub.db"\n')


def test_a_token_is_shown_once_listed_and_revoked(desk: Path, deskhub: Any) -> None:
    made = deskhub("token", "new", "ci", "--scope", "adapters.read", "--days", 7, "-c", desk)
    text = made.stdout.strip()
    listed = deskhub("token", "list", "--json", "-c", desk)
    shown = deskhub("token", "list", "-c", desk)
    again = deskhub("token", "new", "ci", "-c", desk)
    revoked = deskhub("token", "revoke", "ci", "-c", desk)
    gone = deskhub("token", "revoke", "ci", "-c", desk)

    assert made.exit_code == 0, made.stderr
    assert text.startswith("dhk_")
    assert [one["scopes"] for one in json.loads(listed.stdout)["data"]] == [["adapters.read"]]
    assert text not in listed.stdout + shown.stdout
    assert (again.exit_code, "DH407" in again.stderr) == (7, True)
    assert (revoked.exit_code, revoked.stdout) == (0, "ci is revoked\n")
    assert (gone.exit_code, "DH405" in gone.stderr) == (4, True)
    assert json.loads(deskhub("token", "list", "--json", "-c", desk).stdout)["data"] == []


def test_a_misspelt_scope_is_named_with_what_was_meant(desk: Path, deskhub: Any) -> None:
    refused = deskhub("token", "new", "ci", "--scope", "adapters.raed", "-c", desk)

    assert refused.exit_code == 2
    assert "did you mean 'adapters.read'?" in refused.stderr
