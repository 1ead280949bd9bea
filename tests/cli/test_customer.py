"""``deskhub customer export`` and ``deskhub retention`` on the machine of the hub."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.privacy.conftest import CANARY, SUBJECT, everywhere, home_at

HUB_TOML = """
schema = 1
[hub]
store = "sqlite:///hub.db"
[retention]
closed_conversations_days = 1
"""
Run = Callable[..., Result]


@pytest.fixture
def config(hub_toml: Callable[[str], Path], tmp_path: Path) -> Path:
    async def write() -> None:
        async with home_at(f"sqlite:///{tmp_path / 'hub.db'}", tmp_path) as home:
            await everywhere(home)

    asyncio.run(write())
    return hub_toml(HUB_TOML)


def test_an_export_is_written_whole_and_for_its_owner_alone(
    deskhub: Run, config: Path, tmp_path: Path
) -> None:
    to = tmp_path / "export.json"

    told = deskhub("customer", "export", SUBJECT, "--to", to, "--config", config, "--json")

    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["data"]["bytes"] == to.stat().st_size
    assert to.stat().st_mode & 0o777 == 0o600
    document = json.loads(to.read_text())
    assert document["complete"] is True
    assert CANARY in json.dumps(document)
    assert document["audit"][0]["actor"] == "agent:operator"


def test_without_a_file_the_document_is_the_output(deskhub: Run, config: Path) -> None:
    told = deskhub("customer", "export", SUBJECT, "--config", config)

    assert json.loads(told.stdout)["format"] == "deskhub.customer/1"


@pytest.mark.parametrize(
    ("asked", "code"),
    [(["C-none"], "DH171"), ([SUBJECT, "--to", "/nowhere/at/all.json"], "DH172")],
)
def test_what_cannot_be_exported_is_said(
    deskhub: Run, config: Path, asked: list[str], code: str
) -> None:
    told = deskhub("customer", "export", *asked, "--config", config)

    assert code in told.output
    assert told.exit_code != 0


def test_retention_says_what_it_would_erase_and_erases_nothing(
    deskhub: Run, config: Path
) -> None:
    told = deskhub("retention", "--dry-run", "--config", config, "--json")
    refused = deskhub("retention", "--config", config)

    assert json.loads(told.stdout)["data"]["tenants"] == {
        "main": {"conversations": 0, "files": 0}
    }
    assert "DH173" in refused.output
