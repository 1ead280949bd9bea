"""``deskhub explain`` knows every code that a message can end with."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.mark.parametrize("code", ["DH301", "dh301"])
def test_a_known_code_is_explained_with_why_and_fix(code: str, deskhub: Any) -> None:
    result = deskhub("explain", code)

    assert result.exit_code == 0
    assert result.stdout.startswith("DH301  A secret stands in hub.toml in plain text.")
    assert "\nwhy  " in result.stdout
    assert "\nfix  " in result.stdout


def test_a_code_of_the_api_is_explained_with_its_status(deskhub: Any) -> None:
    result = deskhub("explain", "cid_reuse", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["data"]["status"] == 409


def test_an_unknown_code_ends_with_not_found(deskhub: Any) -> None:
    unknown = deskhub("explain", "DH999")
    misspelt = deskhub("explain", "not_fund")

    assert unknown.exit_code == misspelt.exit_code == 4
    assert "there is no code 'DH999'" in unknown.stderr
    assert "did you mean not_found?" in misspelt.stderr
