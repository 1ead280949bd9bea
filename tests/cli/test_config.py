"""Mistakes in hub.toml are told all at once, fast, with place and cure, and nothing starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import in_a_process

ORDERS = """
[adapters.shop]
use = "orders"
[adapters.shop.config]
base_url = "https://shop.example.com"
token = {{ file = "secret" }}
webhook_secret = {{ file = "secret" }}
{more}
"""

EVERYTHING_WRONG = """\
[hub]
listen = 8700
stroe = "sqlite:///x.db"
[sever]
[adapters.shop]
use = "ordesr"
[adapters.crm]
enabled = "true"
[adapters.erp]
isolation = "process"
[adapters.erp.config]
base_url = 5
token = "hunter2hunter2"
webhok_secret = { env = "SURELY_NOT_SET_1" }
[adapters.tickets.config]
token = { env = "SURELY_NOT_SET_2" }
"""


def codes(result: Any) -> set[tuple[str, int]]:
    return {(one["code"], one["line"]) for one in json.loads(result.stdout)["errors"]}


def test_the_file_and_the_adapters_settings_are_checked_in_one_go(
    hub_toml: Callable[[str], Path], deskhub: Any
) -> None:
    result = deskhub("config", "check", "--json", "-c", hub_toml(EVERYTHING_WRONG))

    assert result.exit_code == 3
    assert codes(result) >= {
        ("DH105", 2), ("DH103", 3), ("DH102", 4), ("DH201", 6), ("DH104", 8),
        ("DH202", 12), ("DH301", 13), ("DH203", 14), ("DH302", 14), ("DH302", 16),
        ("DH204", 15),
    }  # fmt: skip


def test_every_message_says_what_where_and_how_to_cure_it_in_eight_lines(
    hub_toml: Callable[[str], Path], deskhub: Any
) -> None:
    result = deskhub("config", "check", "-c", hub_toml(EVERYTHING_WRONG))

    *messages, last = result.stderr.strip().split("\n\n")
    assert last == f"{len(messages)} problems in hub.toml; nothing was started"
    for message in messages:
        lines = message.splitlines()
        assert len(lines) <= 8, message
        assert lines[0].startswith("error[DH")
        assert lines[1].startswith("  --> hub.toml:")
        assert any(line.startswith("    = fix: ") for line in lines), message
        assert lines[-1].startswith("    = more: deskhub explain DH")


def test_no_secret_of_the_file_is_printed(
    hub_toml: Callable[[str], Path], deskhub: Any
) -> None:
    text = EVERYTHING_WRONG + (
        '[adapters.payments]\nconfig = { base_url = 3, token = "hunter2", x = 1 }\n'
        '[inboxes.web]\nidentity_secret = "hunter2hunter2hunter2"\n'
    )

    plain = deskhub("config", "check", "-c", hub_toml(text))
    machine = deskhub("config", "check", "--json", "-c", hub_toml(text))

    assert "hunter2" not in plain.stderr + plain.stdout + machine.stdout


def test_the_password_in_a_databases_address_is_not_printed(
    hub_toml: Callable[[str], Path], deskhub: Any
) -> None:
    for scheme in ("postgres", "postgresql"):
        path = hub_toml(f'[hub]\nstore = "{scheme}://desk:hunter2@db/desk"\n')

        assert "hunter2" not in deskhub("config", "check", "-c", path).stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[sever]\nlisten = "x"\n', ["DH102", "why: known: "]),
        ('[hub]\nlitsen = "127.0.0.1:1"\n', ["DH103", "did you mean 'listen'?"]),
        ('[adapters.x]\nuse = "ordesr"\n', ["DH201", "Did you mean 'orders'?"]),
        (ORDERS.format(more="retrun_days = 5"), ["DH203", "Did you mean 'return_days'?"]),
        (ORDERS.format(more='return_days = "soon"'), ["DH202", "return_days"]),
        ("[adapters.orders]\n", ["DH204", "base_url", "token", "webhook_secret"]),
        ('[hub]\nbus = "redis://127.0.0.1"\n', ["DH105", "memory or nats://host:port"]),
        ('[hub]\nstore = "postgresql://a:b@db/c"\n', ["DH301", "store_password = { env"]),
        ('[hub]\nlisten = "x\n', ["DH101", "hub.toml:2:"]),
        ("[hub\n", ["DH101", "hub.toml:1:5"]),
        ('a = [\n"b"\n', ["DH101", "hub.toml:2:"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_was_probably_meant(
    text: str, words: list[str], hub_toml: Callable[[str], Path], tmp_path: Path, deskhub: Any
) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef")

    result = deskhub("config", "check", "-c", hub_toml(text))

    assert result.exit_code == 3
    for word in words:
        assert word in result.stderr


def test_serve_tells_the_mistakes_within_two_seconds_and_leaves_nothing(
    hub_toml: Callable[[str], Path], tmp_path: Path
) -> None:
    path = hub_toml(EVERYTHING_WRONG)

    ended = in_a_process("serve", "-c", path, cwd=tmp_path)

    assert ended.code == 3
    assert ended.out == ""
    assert "nothing was started" in ended.err
    assert ended.cpu_s < 2.0
    assert [one.name for one in tmp_path.iterdir()] == ["hub.toml"]


def test_the_whole_truth_is_told_before_anybody_is_added(
    hub_toml: Callable[[str], Path], tmp_path: Path, deskhub: Any
) -> None:
    result = deskhub("user", "list", "-c", hub_toml(EVERYTHING_WRONG))

    assert result.exit_code == 3
    assert [one.name for one in tmp_path.iterdir()] == ["hub.toml"]


def test_a_good_file_is_counted(
    hub_toml: Callable[[str], Path], tmp_path: Path, deskhub: Any
) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef")
    path = hub_toml("[inboxes.web]\norigins = []\n" + ORDERS.format(more=""))

    plain = deskhub("config", "check", "-c", path)
    machine = deskhub("config", "check", "--json", "-c", path)

    assert plain.exit_code == machine.exit_code == 0
    assert plain.stdout == f"{path}: 1 inbox, 1 adapter, 0 problems\n"
    assert json.loads(machine.stdout) == {
        "ok": True, "data": {"file": str(path), "inboxes": ["web"], "adapters": ["shop"]},
        "warnings": [],
    }  # fmt: skip


def test_the_file_may_be_named_by_a_variable(
    hub_toml: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, deskhub: Any
) -> None:
    monkeypatch.setenv("DESKHUB_CONFIG", str(hub_toml("[inboxes.web]\n")))

    assert "1 inbox" in deskhub("config", "check").stdout


def test_a_missing_file_says_how_to_write_one(tmp_path: Path, deskhub: Any) -> None:
    plain = deskhub("config", "check", "-c", tmp_path / "hub.toml")
    machine = deskhub("config", "check", "--json", "-c", tmp_path / "hub.toml")

    assert plain.exit_code == machine.exit_code == 3
    assert "deskhub init" in plain.stderr
    assert json.loads(machine.stdout)["error"]["code"] == "DH100"


def test_init_writes_a_file_that_is_good_and_never_over_one(
    tmp_path: Path, deskhub: Any
) -> None:
    folder = tmp_path / "desk"

    first = deskhub("init", folder)
    text = (folder / "hub.toml").read_text()
    second = deskhub("init", folder)

    assert first.exit_code == 0
    assert deskhub("config", "check", "-c", folder / "hub.toml").exit_code == 0
    assert second.exit_code == 7
    assert "DH112" in second.stderr
    assert (folder / "hub.toml").read_text() == text
