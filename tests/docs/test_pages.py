"""Every page: links lead somewhere, named tests exist, settings are good, Python runs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deskhub.cli.checked import read
from tests.docs.blocks import PAGES, ROOT, Block, blocks, without_blocks

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_TEST = re.compile(r"`((?:adapters/\w+/)?tests/[\w/.-]+\.py)`")
_REFERENCE = re.compile(r"\{ *(env|file) *= *\"([^\"]+)\" *\}")
TOML = [block for page in PAGES for block in blocks(page, "toml")]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Return the places in *page* that a link can name, as the usual hosts make them."""
    words = (
        _CODE.sub(lambda one: one[0].strip("`"), head)
        for head in _HEADING.findall(without_blocks(page))
    )
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in words}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(_CODE.sub("", without_blocks(page))):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        there = (page.parent / parts.path).resolve() if parts.path else page
        assert there.exists(), f"{name(page)} links to {target}"
        if parts.fragment and there.suffix == ".md":
            assert parts.fragment in anchors(there), f"{name(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_test_that_a_page_names_exists(page: Path) -> None:
    missing = [
        one
        for one in _TEST.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / one).exists()
    ]

    assert missing == []


def test_every_page_of_the_docs_is_reached_from_the_index() -> None:
    index = ROOT / "docs/README.md"
    seen, waiting = set(), [index]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.is_relative_to(ROOT / "docs"):
            continue
        seen.add(page)
        for target in _LINK.findall(without_blocks(page)):
            there = (page.parent / urlsplit(target).path).resolve()
            if there.suffix == ".md" and there.exists():
                waiting.append(there)

    # Decisions are read as a folder, in the order of their numbers.
    pages = {one for one in (ROOT / "docs").rglob("*.md") if one.parent.name != "adr"}
    assert {name(one) for one in pages - seen} == set()


@pytest.mark.parametrize("block", TOML, ids=lambda block: block.id)
def test_an_example_of_hub_toml_is_good(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings of adapters are checked by the adapters, as at a start."""
    if "schema" not in (found := tomllib.loads(block.text)) and not {
        "hub",
        "inboxes",
        "adapters",
    } & set(found):
        pytest.skip("not a hub.toml")
    for kind, target in _REFERENCE.findall(block.text):
        if kind == "env":
            monkeypatch.setenv(target, "a-secret-of-quite-enough-characters-0123")
        else:
            file = tmp_path / target
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("a-secret-of-quite-enough-characters-0123")
    path = tmp_path / "hub.toml"
    path.write_text(block.text, encoding="utf-8")

    assert read(path)[1].rendered() == ""
