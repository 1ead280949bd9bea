"""What the installation guide asks a reader to copy."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from deskhub.cli import app
from deskhub.identity.errors import IdentityRefused
from deskhub.identity.tokens import read_identity
from tests.docs.blocks import ROOT, blocks

PAGE = ROOT / "docs/how-to/install.md"
SECRET = "0123456789abcdef0123456789abcdef"
CUSTOMER = {"number": "C-1001", "name": "Wang Fang", "email": "fang.wang@example.com"}


@pytest.fixture
def page() -> dict[str, Any]:
    """Run the page's Python; return its names."""
    document = Sybil(parsers=[PythonCodeBlockParser()]).parse(PAGE)
    for example in document.examples():
        example.evaluate()
    return document.namespace


def test_the_shops_signature_is_accepted_for_the_inbox_it_names(page: dict[str, Any]) -> None:
    token = page["identity_token"](SECRET, "web", CUSTOMER)

    claim = read_identity(token, SECRET, "web", datetime.now(UTC))

    assert (claim.subject, claim.name, claim.email) == (
        "C-1001", "Wang Fang", "fang.wang@example.com",
    )  # fmt: skip
    with pytest.raises(IdentityRefused):
        read_identity(token, SECRET, "another", datetime.now(UTC))
    with pytest.raises(IdentityRefused):
        read_identity(token, SECRET[::-1], "web", datetime.now(UTC))


def test_the_unit_keeps_to_the_hubs_exit_codes_and_time(page: dict[str, Any]) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(next(blocks(PAGE, "ini")).text)
    service = unit["Service"]

    assert service["RestartPreventExitStatus"] == "3 7 11"
    assert int(service["TimeoutStopSec"]) > 8
    assert service["ExecStart"].split()[1:] == ["serve"]


@pytest.mark.parametrize("block", list(blocks(PAGE, "sh")), ids=lambda block: block.id)
def test_a_shell_block_is_shell_and_names_commands_that_exist(block: Any) -> None:
    assert (
        subprocess.run(["bash", "-n"], input=block.text, text=True, check=False).returncode == 0
    )
    import typer

    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        if "/opt/deskhub/bin/deskhub" not in words:
            continue
        command: Any = typer.main.get_command(app)
        rest = words[words.index("/opt/deskhub/bin/deskhub") + 1 :]
        while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
            command = command.commands[rest.pop(0)]
        known = {option for one in command.params for option in one.opts}
        assert {word for word in rest if word.startswith("--")} <= known


def test_the_snippet_loads_what_the_hub_serves() -> None:
    snippets = "".join(block.text for block in blocks(PAGE, "html"))
    loader = (ROOT / "web/loader/loader.ts").read_text(encoding="utf-8")
    prose = PAGE.read_text(encoding="utf-8")

    assert "/w/v1/loader.js" in snippets
    for name in re.findall(r"`?data-(\w+)[=`]", snippets + prose):
        assert f'dataset["{name}"]' in loader or f'"{name}"' in loader, name
    for call in re.findall(r'DeskhubChat\("(\w+)"', snippets):
        assert re.search(rf"^    {call}[:(]", loader, re.MULTILINE), call
