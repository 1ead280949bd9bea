"""What must stay true of the tree. Each test is one sentence of ARCHITECTURE.md."""

import ast
import re
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted(path.parent for path in ROOT.glob("adapters/*/pyproject.toml"))
SOURCES = sorted(
    file
    for tree in ("core", "plugins", "adapters")
    for file in (ROOT / tree).rglob("*.py")
    if "tests" not in file.parts and "versions" not in file.parts
)
WEB_SOURCES = sorted(
    file
    for kind in ("*.ts", "*.tsx")
    for file in (ROOT / "web").rglob(kind)
    if "node_modules" not in file.parts
)


def tracked(pattern: str) -> list[str]:
    done = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", "."],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda path: path.name)
def test_an_adapter_has_one_name_in_five_places(adapter: Path) -> None:
    project = tomllib.loads((adapter / "pyproject.toml").read_text())["project"]
    package = f"deskhub_{adapter.name.replace('-', '_')}"

    assert project["name"] == f"deskhub-{adapter.name}"
    assert (adapter / "src" / package / "py.typed").exists()
    assert list(project["entry-points"]["deskhub.adapters"]) == [adapter.name]
    assert (ROOT / "docs/adapters" / f"{adapter.name}.md").exists()
    assert adapter.name in {found.name for found in entry_points(group="deskhub.adapters")}


@pytest.mark.parametrize(
    "file", [*SOURCES, *WEB_SOURCES], ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_module_fits_in_one_sitting(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 400


@pytest.mark.parametrize("file", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


@pytest.mark.parametrize("file", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_task_is_started_only_by_somebody_who_owns_it(file: Path) -> None:
    """`loop.create_task` slips past the linter's list of banned names."""
    calls = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("create_task", "ensure_future")
    ]
    text = file.read_text()

    for call in calls:
        owner = ast.unparse(call.func.value)
        assert owner.endswith("group") or f"# Owned: {owner}" in text, (
            f"{file.name}:{call.lineno} starts a task without an owner; write '# Owned: "
            f"{owner}' with the reason beside it if somebody waits for it"
        )


def test_only_the_writers_own_statements_change_a_conversation() -> None:
    """The writer knows busy conversations from one batch to the next (`store/known.py`)."""
    writes = re.compile(r"(insert|update|delete|Upsert)\((\w+\.)*conversation[),]")

    found = {file.name for file in SOURCES if writes.search(file.read_text())}

    assert found == {"rows.py"}


def test_core_and_plugins_hold_nothing_but_their_one_package() -> None:
    assert {path.name for path in (ROOT / "core").iterdir()} == {"deskhub"}
    assert {path.name for path in (ROOT / "plugins").iterdir()} <= {
        "deskhub_sdk", "pyproject.toml", "README.md",
    }  # fmt: skip


def test_the_top_level_is_the_agreed_one() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}

    assert top <= {
        "core", "plugins", "adapters", "web", "tests", "docs", "requirements", ".ci",
        "hub.toml", "pyproject.toml", "hatch_build.py", "Makefile", "Dockerfile",
        ".dockerignore", ".gitignore", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md",
        "SECURITY.md", "CHANGELOG.md", "LICENSE",
    }  # fmt: skip


def test_nothing_promises_work_instead_of_doing_it() -> None:
    word = "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])
    found = [line for line in tracked(rf"\b({word})\b") if not line.startswith("docs/adr")]

    assert found == []


def test_no_path_of_a_machine_and_no_registry_host_is_in_the_tree() -> None:
    words = ["/wo" + "rk/", "/ro" + "ot/", "pypi" + r"\.org", "registry" + r"\.npmjs"]
    found = [line for word in words for line in tracked(word)]

    assert found == []


def test_versions_are_written_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    source = (ROOT / "core/deskhub/__init__.py").read_text()

    assert re.search(rf'__version__ = "{re.escape(project["version"])}"', source)
