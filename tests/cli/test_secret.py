"""``deskhub secret``: kept, used by hub.toml, never shown again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VALUE = "hunter2hunter2hunter2"


@pytest.fixture
def desk(hub_toml: Callable[[str], Path]) -> Path:
    return hub_toml(
        '[adapters.crm]\nconfig = { base_url = "https://c.example", token = { store = "crm" } }\n'
    )


def test_a_kept_secret_is_what_the_file_refers_to(desk: Path, deskhub: Any) -> None:
    before = deskhub("config", "check", "-c", desk)
    kept = deskhub("secret", "set", "crm", "-c", desk, given=VALUE + "\n")
    after = deskhub("config", "check", "-c", desk)

    assert (before.exit_code, "DH304" in before.stderr) == (3, True)
    assert "deskhub secret set crm" in before.stderr
    assert (kept.exit_code, kept.stdout) == (0, "kept crm\n")
    assert after.exit_code == 0, after.stderr
    on_disk = b"".join(one.read_bytes() for one in desk.parent.rglob("*") if one.is_file())
    assert VALUE.encode() not in on_disk


def test_names_are_listed_and_values_never(desk: Path, deskhub: Any) -> None:
    deskhub("secret", "set", "crm", "-c", desk, given=VALUE + "\n")

    listed = deskhub("secret", "list", "--json", "-c", desk)
    shown = deskhub("secret", "list", "-c", desk)
    rotated = deskhub("secret", "rotate", "-c", desk)

    assert json.loads(listed.stdout)["data"] == ["crm"]
    assert shown.stdout == "crm\n"
    assert rotated.stdout == "encrypted anew: 1\n"
    assert VALUE not in listed.output + shown.output + rotated.output
    assert deskhub("config", "check", "-c", desk).exit_code == 0


def test_what_is_forgotten_is_gone(desk: Path, deskhub: Any) -> None:
    deskhub("secret", "set", "crm", "-c", desk, given=VALUE + "\n")

    missing = deskhub("secret", "rm", "cmr", "-c", desk)
    done = deskhub("secret", "rm", "crm", "-c", desk)

    assert (missing.exit_code, "did you mean 'crm'?" in missing.stderr) == (4, True)
    assert (done.exit_code, done.stdout) == (0, "forgot crm\n")
    assert deskhub("config", "check", "-c", desk).exit_code == 3


def test_nothing_is_not_kept(desk: Path, deskhub: Any) -> None:
    refused = deskhub("secret", "set", "crm", "-c", desk)

    assert (refused.exit_code, "DH306" in refused.stderr) == (2, True)
