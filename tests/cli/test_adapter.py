"""``deskhub adapter list`` says what would start, from hub.toml and what is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

HUB_TOML = """\
[adapters.shop]
use = "orders"
[adapters.shop.config]
base_url = "https://shop.example.com"
token = { file = "secret" }
webhook_secret = { file = "secret" }
[adapters.crm]
enabled = false
[adapters.stok]
"""


def rows(deskhub: Any, path: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    result = deskhub("adapter", "list", "--json", "-c", path)
    data = json.loads(result.stdout)["data"]
    return result.exit_code, {one["id"] or one["use"]: one for one in data}


def test_each_instance_is_listed_with_what_keeps_it_from_starting(
    hub_toml: Callable[[str], Path], tmp_path: Path, deskhub: Any
) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef")

    code, found = rows(deskhub, hub_toml(HUB_TOML))

    assert code == 3
    assert found["shop"] == {
        "id": "shop", "use": "orders", "version": "1.0.0", "enabled": True, "problems": [],
    }  # fmt: skip
    assert found["crm"]["enabled"] is False
    assert [one["code"] for one in found["stok"]["problems"]] == ["DH201"]
    assert found["stok"]["version"] is None


def test_what_is_installed_and_not_used_is_listed_too(
    hub_toml: Callable[[str], Path], deskhub: Any
) -> None:
    code, found = rows(deskhub, hub_toml(""))

    assert code == 0
    assert {"orders", "erp", "payments", "crm", "tickets", "sso"} <= set(found)
    assert found["erp"]["id"] is None


def test_a_person_reads_one_line_for_each_and_the_cure_below(
    hub_toml: Callable[[str], Path], tmp_path: Path, deskhub: Any
) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef")

    result = deskhub("adapter", "list", "-c", hub_toml(HUB_TOML))

    lines = result.stdout.splitlines()
    assert lines[0].split() == ["INSTANCE", "ADAPTER", "VERSION", "STATE"]
    assert "shop             orders       1.0.0     enabled" in lines
    assert "stok             stok         -         cannot start" in lines
    assert any(line.startswith("  DH201 the adapter 'stok' is not installed") for line in lines)


def test_a_table_that_cannot_be_read_is_listed_with_its_problem(
    hub_toml: Callable[[str], Path], deskhub: Any
) -> None:
    code, found = rows(deskhub, hub_toml('[adapters.shop]\nenabled = "yes"\n'))

    assert code == 3
    assert [one["code"] for one in found["shop"]["problems"]] == ["DH104"]
