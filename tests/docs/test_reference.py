"""The reference says what the code says, and every code that is met can be looked up."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from deskhub.cli.codes import CODES
from deskhub.config import (
    HubSettings,
    Inbox,
    Instance,
    Limits,
    MailSettings,
    RetentionSettings,
)
from deskhub.errors import CATALOGUE
from deskhub_sdk.testing.kit.run import RULES
from tests.docs.blocks import PAGES, ROOT
from tests.tools import reference

_DH = re.compile(r"\bDH\d{3}\b")
_SOURCES = sorted((ROOT / "core").rglob("*.py"))


def mentioned(files: list[Path]) -> dict[str, str]:
    """Return each code that stands in *files*, with one of the places."""
    return {
        code: str(file.relative_to(ROOT))
        for file in files
        for code in _DH.findall(file.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("name", list(reference.PAGES_MADE))
def test_a_made_page_is_up_to_date(name: str) -> None:
    page = ROOT / "docs/reference" / name

    assert page.read_text(encoding="utf-8") == reference.made(name), (
        "run: python tests/tools/reference.py --write"
    )


def test_every_code_in_the_hub_can_be_explained() -> None:
    unknown = {code: file for code, file in mentioned(_SOURCES).items() if code not in CODES}

    assert unknown == {}


def test_every_code_in_the_docs_and_adapters_can_be_explained() -> None:
    files = [*PAGES, *(ROOT / "adapters").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    unknown = {code: file for code, file in mentioned(files).items() if code not in CODES}

    assert unknown == {}


def test_every_explained_code_is_one_that_somebody_can_give() -> None:
    contract = (ROOT / "plugins").rglob("*.py")
    elsewhere = [file for file in [*_SOURCES, *contract] if file.name != "codes.py"]

    assert set(CODES) - set(mentioned(elsewhere)) == set()


def test_every_error_of_the_wire_is_in_the_reference() -> None:
    import_module("deskhub.app")
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^(?:\| `|### )(\w+)", page, re.MULTILINE))

    ours = {code for code, error in CATALOGUE.items() if reference.is_ours(error)}
    assert ours - listed == set()


def test_a_stale_page_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reference, "PAGES", tmp_path)

    assert reference.main([]) == 1
    assert reference.main(["--write"]) == 0
    assert reference.main([]) == 0

    (tmp_path / "cli.md").write_text("something else")
    capsys.readouterr()
    assert reference.main([]) == 1
    assert "docs/reference/cli.md: not up to date" in capsys.readouterr().out


def keys_of(model: type) -> set[str]:
    """Return every key of a table of hub.toml."""
    return {name for name in model.model_fields if name not in ("id", "secret_keys")}


@pytest.mark.parametrize(
    "model", [HubSettings, Inbox, Instance, Limits, MailSettings, RetentionSettings]
)
def test_every_setting_of_hub_toml_has_its_line(model: type) -> None:
    page = (ROOT / "docs/reference/hub-toml.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(?:\w+\.)?(\w+)`", page)) | set(re.findall(r"(\w+) = ", page))

    assert keys_of(model) - listed == set()


def test_every_rule_of_the_quality_scale_has_its_line_and_code() -> None:
    page = (ROOT / "docs/reference/quality.md").read_text(encoding="utf-8")

    assert {one.id for one in RULES} <= set(re.findall(r"^\| `([\w-]+)`", page, re.MULTILINE))
    assert {one.code for one in RULES} <= set(CODES)
