"""The conformance kit: good adapters are gold, each bad one is caught by its own rule."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskhub_sdk.manifest import FILE_NAME, encode_manifest
from deskhub_sdk.testing.kit.bench import Bench
from deskhub_sdk.testing.kit.rules import RULES
from deskhub_sdk.testing.kit.run import run

HERE = Path(__file__).parent
ADAPTERS = HERE.parents[1] / "adapters"
BAD = sorted(path.stem for path in (HERE / "bad").glob("*.py"))

PYPROJECT = """
[project]
name = "{name}"
version = "1.0.0"
dependencies = ["deskhub-sdk>=1.0,<2"]
[project.entry-points."deskhub.adapters"]
{name} = "{name}:{cls}"
[tool.deskhub]
simulator = "{name}.simulator:System"
"""
README = "An adapter that is here to be tested, and says so in more than twenty words, so that nobody can complain that it says next to nothing at all."


def package(folder: Path, name: str, source: str, cls: str) -> Path:
    """Write an adapter's package made of the good one and *source*."""
    own = folder / "src" / name
    own.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(name=name, cls=cls))
    (folder / "README.md").write_text(README)
    (own / "base.py").write_text((HERE / "good/base.py").read_text())
    (own / "simulator.py").write_text((HERE / "good/system.py").read_text())
    (own / "__init__.py").write_text(
        source.replace("from base import", f"from {name}.base import")
    )
    return folder


@pytest.fixture(autouse=True)
def _paths() -> Any:
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.mark.timeout(180)
async def test_the_good_one_is_gold(tmp_path: Path) -> None:
    folder = package(tmp_path, "kit_good", "from base import Good\n", "Good")

    report = await run(folder)

    assert [(one.rule.id, one.what) for one in report.broken] == []
    assert report.tier == "gold"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", BAD)
async def test_a_bad_one_is_caught_by_its_rule(tmp_path: Path, name: str) -> None:
    rule = name.replace("_", "-")
    folder = package(tmp_path, f"kit_bad_{name}", (HERE / f"bad/{name}.py").read_text(), "Bad")
    if rule == "upgrade":
        earlier = folder / "releases/1.0.0"
        earlier.mkdir(parents=True)
        made = Bench.at(folder).manifest
        kept = {k: v for k, v in made.config["properties"].items() if k != "account"}
        old = msgspec.structs.replace(made, config={"properties": kept})
        (earlier / FILE_NAME).write_bytes(encode_manifest(old))

    report = await run(folder, only=rule)

    (found,) = report.outcomes
    assert found.state == "broken", found
    assert found.what
    assert found.file
    assert found.line


def test_every_rule_has_a_bad_adapter() -> None:
    assert {rule.id for rule in RULES} == {name.replace("_", "-") for name in BAD}


# It has no simulator; its page says that it has no tier.
UNGRADED = {"channel-mail"}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "name",
    sorted({one.parent.name for one in ADAPTERS.glob("*/pyproject.toml")} - UNGRADED),
)
async def test_the_adapters_that_ship_are_gold(name: str) -> None:
    report = await run(ADAPTERS / name)

    assert [(one.rule.id, one.what, one.file, one.line) for one in report.broken] == []
    assert report.tier == "gold"
