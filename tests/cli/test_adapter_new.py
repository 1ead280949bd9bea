"""``deskhub adapter new`` and ``test``: from nothing to bronze, whatever the kind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deskhub.cli.adapter_new import Kind, package

ROOT = Path(__file__).parents[2]


def test_a_new_adapter_is_four_files_and_at_most_sixty_lines(
    tmp_path: Path, deskhub: Any
) -> None:
    result = deskhub("adapter", "new", "acme-orders", "--kind", "orders", "--into", tmp_path)

    assert result.exit_code == 0
    written = [path for path in (tmp_path / "acme-orders").rglob("*") if path.is_file()]
    assert len(written) <= 4
    assert sum(len(path.read_text().splitlines()) for path in written) <= 60


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_passes_bronze_unmodified(tmp_path: Path, kind: Kind) -> None:
    files = package(f"acme-{kind.value}", kind)
    for name, text in files.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    done = subprocess.run(
        [sys.executable, "-m", "deskhub_sdk.testing.kit", tmp_path, "--tier", "bronze", "--json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip

    report = json.loads(done.stdout)
    assert [one for one in report["data"]["rules"] if one["state"] == "broken"] == []
    assert (done.returncode, report["ok"], report["data"]["tier"]) == (0, True, "bronze")
    assert len(files) <= 4
    assert sum(text.count("\n") for text in files.values()) <= 60


def test_a_name_that_cannot_be_a_package_is_refused(tmp_path: Path, deskhub: Any) -> None:
    result = deskhub("adapter", "new", "Acme_Orders", "--into", tmp_path)

    assert result.exit_code == 2
    assert "DH540" in result.stderr


def test_nothing_is_overwritten(tmp_path: Path, deskhub: Any) -> None:
    deskhub("adapter", "new", "acme", "--into", tmp_path)
    again = deskhub("adapter", "new", "acme", "--into", tmp_path)

    assert again.exit_code == 7
    assert "DH542" in again.stderr


def test_a_folder_without_an_adapter_is_not_found(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deskhub", "adapter", "test", tmp_path, "--json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "DH541"


def test_a_broken_rule_ends_with_eight_and_its_place(tmp_path: Path) -> None:
    for name, text in package("acme", Kind.ORDERS).items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            text.replace("import msgspec\n", "import msgspec\nimport urllib.request\n")
        )

    done = subprocess.run(
        [sys.executable, "-m", "deskhub_sdk.testing.kit", tmp_path, "--rule", "imports", "--json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip

    report = json.loads(done.stdout)
    (rule,) = report["data"]["rules"]
    assert (done.returncode, report["ok"], rule["code"]) == (8, False, "DH533")
    assert "urllib" in rule["what"]
    assert rule["file"].endswith("acme/__init__.py")
    assert rule["line"]


def test_info_reads_the_manifest(deskhub: Any) -> None:
    result = deskhub("adapter", "info", "tickets", "--json")

    told = json.loads(result.stdout)["data"]
    assert told["id"] == "tickets"
    assert "conversation_cards" in told["hooks"]


def test_info_of_an_unknown_adapter_has_a_guess(deskhub: Any) -> None:
    result = deskhub("adapter", "info", "tickts")

    assert result.exit_code == 4
    assert "tickets" in result.stderr
