"""``deskhub user`` against an installation of its own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deskhub.app import administration
from deskhub.clock import SystemClock
from deskhub.config import load
from deskhub.identity.errors import SignInRefused

PASSWORD = "a long enough passphrase"


@pytest.fixture
def desk(hub_toml: Callable[[str], Path]) -> Path:
    return hub_toml('[hub]\nstore = "sqlite:///data/deskhub.db"\n')


def signs_in(desk: Path, email: str, password: str) -> bool:
    async def attempt() -> bool:
        async with administration(load(desk), SystemClock()) as identity:
            try:
                await identity.sign_in(email, password, address="127.0.0.1")
            except SignInRefused:
                return False
        return True

    return asyncio.run(attempt())


def people(deskhub: Any, desk: Path) -> list[dict[str, Any]]:
    result = deskhub("user", "list", "--json", "-c", desk)
    assert result.exit_code == 0, result.stderr
    return list(json.loads(result.stdout)["data"])


def test_an_added_person_is_listed(desk: Path, deskhub: Any) -> None:
    added = deskhub(
        "user", "add", "Mei@Example.com", "--name", "Mei", "--role", "supervisor", "-c", desk,
        given=PASSWORD + "\n",
    )  # fmt: skip

    assert (added.exit_code, added.stdout) == (0, "added mei@example.com (supervisor)\n")
    assert people(deskhub, desk) == [
        {"email": "mei@example.com", "name": "Mei", "role": "supervisor"}
    ]


def test_without_a_password_one_is_made_up_and_shown_once(desk: Path, deskhub: Any) -> None:
    added = deskhub("user", "add", "mei@example.com", "-c", desk)

    assert re.search(r"^password: \S{16}$", added.stdout, re.MULTILINE)


def test_nobody_is_added_twice(desk: Path, deskhub: Any) -> None:
    deskhub("user", "add", "mei@example.com", "-c", desk)

    again = deskhub("user", "add", "MEI@example.com", "-c", desk)

    assert again.exit_code == 7
    assert "DH401" in again.stderr
    assert len(people(deskhub, desk)) == 1


def test_a_weak_password_adds_nobody(desk: Path, deskhub: Any) -> None:
    refused = deskhub("user", "add", "mei@example.com", "-c", desk, given="short\n")

    assert refused.exit_code == 2
    assert "DH402" in refused.stderr
    assert "short\n" not in refused.stderr
    assert people(deskhub, desk) == []


def test_a_misspelt_role_is_named_with_the_right_ones(desk: Path, deskhub: Any) -> None:
    refused = deskhub("user", "add", "mei@example.com", "--role", "suprvisor", "-c", desk)

    assert refused.exit_code == 2
    assert "did you mean supervisor?" in refused.stderr


def test_a_new_password_holds_and_the_old_one_does_not(desk: Path, deskhub: Any) -> None:
    deskhub("user", "add", "mei@example.com", "-c", desk, given=PASSWORD + "\n")

    changed = deskhub(
        "user", "passwd", "mei@example.com", "-c", desk, given="another long one\n"
    )

    assert changed.exit_code == 0
    assert changed.stdout == "password changed; all sessions ended\n"
    assert signs_in(desk, "mei@example.com", "another long one")
    assert not signs_in(desk, "mei@example.com", PASSWORD)


def test_a_deactivated_person_is_gone_and_cannot_sign_in(desk: Path, deskhub: Any) -> None:
    deskhub("user", "add", "mei@example.com", "-c", desk, given=PASSWORD + "\n")

    locked = deskhub("user", "deactivate", "Mei@example.com", "-c", desk)

    assert (locked.exit_code, locked.stdout) == (0, "mei@example.com is locked out\n")
    assert people(deskhub, desk) == []
    assert not signs_in(desk, "mei@example.com", PASSWORD)


@pytest.mark.parametrize("verb", ["passwd", "deactivate"])
def test_a_stranger_is_not_found(verb: str, desk: Path, deskhub: Any) -> None:
    result = deskhub("user", verb, "nobody@example.com", "-c", desk)

    assert result.exit_code == 4
    assert "DH404" in result.stderr


def test_every_change_can_be_read_by_a_program(desk: Path, deskhub: Any) -> None:
    added = deskhub("user", "add", "mei@example.com", "--json", "-c", desk)
    again = deskhub("user", "add", "mei@example.com", "--json", "-c", desk)
    changed = deskhub(
        "user", "passwd", "mei@example.com", "--json", "-c", desk, given=PASSWORD + "\n"
    )
    locked = deskhub("user", "deactivate", "mei@example.com", "--json", "-c", desk)

    told = {"email": "mei@example.com", "name": "mei@example.com", "role": "agent"}
    data = json.loads(added.stdout)["data"]
    assert len(data.pop("password")) == 16
    assert data == told
    assert (again.exit_code, json.loads(again.stdout)["error"]["code"]) == (7, "DH401")
    assert json.loads(changed.stdout)["data"] == json.loads(locked.stdout)["data"] == told
