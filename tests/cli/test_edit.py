"""Commands that change hub.toml: shown, checked as a whole, comments kept, or not written."""

from __future__ import annotations

import json
import tomllib
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HUB_TOML = """\
[hub]
listen = "127.0.0.1:8700"   # behind nginx
[inboxes.web]
key = "web"
[adapters.crm]
enabled = false             # until Monday
"""


@pytest.fixture
def desk(hub_toml: Callable[[str], Path]) -> Path:
    return hub_toml(HUB_TOML)


def table(desk: Path) -> dict[str, Any]:
    return tomllib.loads(desk.read_text())


def test_an_adapter_that_could_not_start_is_not_switched_on(desk: Path, deskhub: Any) -> None:
    refused = deskhub("adapter", "enable", "crm", "-c", desk)

    assert refused.exit_code == 3
    assert "'base_url' is missing" in refused.stderr
    assert "2 problems in hub.toml; nothing was written" in refused.stderr
    assert desk.read_text() == HUB_TOML


def test_configured_and_enabled_in_one_go_with_comments_kept(desk: Path, deskhub: Any) -> None:
    done = deskhub(
        "adapter", "configure", "crm", "base_url=https://crm.example", "token=file:token",
        "profile_ttl_s=5", "--enable", "-c", desk,
    )  # fmt: skip

    # The secret's file is the hub's own concern and is missed at once.
    assert (done.exit_code, "DH303" in done.stderr) == (3, True)
    (desk.parent / "token").write_text("hunter2hunter2")
    done = deskhub(
        "adapter", "configure", "crm", "base_url=https://crm.example", "token=file:token",
        "profile_ttl_s=5", "--enable", "-c", desk,
    )  # fmt: skip

    assert done.exit_code == 0, done.stderr
    assert "+enabled = true             # until Monday" in done.stdout
    assert "# behind nginx" in desk.read_text()
    assert table(desk)["adapters"]["crm"]["config"] == {
        "base_url": "https://crm.example", "token": {"file": "token"}, "profile_ttl_s": 5,
    }  # fmt: skip
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("more", [(), ("--enable",)])
def test_a_secret_in_clear_is_refused_and_not_repeated(
    desk: Path, deskhub: Any, more: tuple[str, ...]
) -> None:
    refused = deskhub(
        "adapter", "configure", "crm", "base_url=https://c.example", "token=hunter2hunter2",
        *more, "-c", desk,
    )  # fmt: skip

    assert refused.exit_code == 3
    assert "DH301" in refused.stderr
    assert "hunter2" not in refused.stdout + refused.stderr
    assert desk.read_text() == HUB_TOML


def test_a_variable_that_only_the_server_has_is_a_warning(desk: Path, deskhub: Any) -> None:
    done = deskhub(
        "adapter", "configure", "crm", "base_url=https://crm.example",
        "token=env:SURELY_NOT_SET_3", "--enable", "--json", "-c", desk,
    )  # fmt: skip

    told = json.loads(done.stdout)
    assert (done.exit_code, told["data"]["written"]) == (0, True)
    assert [one.split(" ")[0] for one in told["warnings"]] == ["DH302"]


def test_a_misspelt_setting_is_named_with_what_was_meant(desk: Path, deskhub: Any) -> None:
    refused = deskhub(
        "adapter", "configure", "crm", "bas_url=https://c.example", "--enable", "-c", desk
    )

    assert refused.exit_code == 3
    assert "Did you mean 'base_url'?" in refused.stderr


def test_without_a_setting_they_are_listed_and_secrets_are_not(
    desk: Path, deskhub: Any
) -> None:
    (desk.parent / "t").write_text("hunter2hunter2")
    desk.write_text(HUB_TOML + 'config = { token = { file = "t" } }\n')

    listed = deskhub("adapter", "configure", "crm", "--json", "-c", desk)

    rows = {one["name"]: one for one in json.loads(listed.stdout)["data"]}
    assert rows["base_url"]["required"] is True
    assert (rows["token"]["value"], rows["token"]["secret"]) == ("••••", True)
    assert "hunter2" not in listed.stdout


def test_a_dry_run_shows_and_writes_nothing(desk: Path, deskhub: Any) -> None:
    shown = deskhub("config", "set", "hub.log", "debug", "--dry-run", "-c", desk)

    assert shown.exit_code == 0
    assert '+log = "debug"' in shown.stdout
    assert desk.read_text() == HUB_TOML


def test_nothing_to_do_says_so(desk: Path, deskhub: Any) -> None:
    done = deskhub("adapter", "disable", "crm", "-c", desk)

    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "nothing to do\n")


def test_an_adapter_that_is_not_there_has_a_guess(desk: Path, deskhub: Any) -> None:
    for verb in ("enable", "disable", "configure"):
        missing = deskhub("adapter", verb, "cmr", "-c", desk)

        assert missing.exit_code == 4
        assert "Did you mean 'crm'?" in missing.stderr


@pytest.mark.parametrize(
    ("key", "value", "code", "words"),
    [
        ("hub.lgo", "debug", 3, "did you mean 'log'?"),
        ("hub.log", "loud", 3, "write one of 'debug', 'info', 'warning' or 'error'"),
        ("adapters.crm.enabled", '"yes"', 3, "write: enabled = true"),
        ("hub", "x", 2, "write for example hub.listen"),
        ("hub.[x", "x", 2, "write for example hub.listen"),
    ],
)
def test_a_value_that_cannot_be_is_not_written(
    desk: Path, deskhub: Any, key: str, value: str, code: int, words: str
) -> None:
    refused = deskhub("config", "set", key, value, "-c", desk)

    assert refused.exit_code == code
    assert words in refused.stderr
    assert desk.read_text() == HUB_TOML


def test_what_was_wrong_before_is_not_in_the_way(desk: Path, deskhub: Any) -> None:
    desk.write_text(HUB_TOML + "[adapters.erp]\n")

    done = deskhub("config", "set", "hub.log", "debug", "-c", desk)

    assert done.exit_code == 0, done.stderr
    assert table(desk)["hub"]["log"] == "debug"


def test_a_file_that_cannot_be_written_is_left(
    desk: Path, deskhub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskhub.config.edit.why_not", lambda _: "hub.toml is read-only here")

    refused = deskhub("config", "set", "hub.log", "debug", "-c", desk)

    assert refused.exit_code == 3
    assert "DH117" in refused.stderr
    assert desk.read_text() == HUB_TOML


def test_every_setting_is_shown_with_where_it_stands(desk: Path, deskhub: Any) -> None:
    shown = deskhub("config", "show", "hub", "--json", "-c", desk)
    origins = deskhub("config", "show", "--origin", "-c", desk)
    misspelt = deskhub("config", "show", "hub.lisen", "-c", desk)

    rows = {one["key"]: one for one in json.loads(shown.stdout)["data"]}
    assert rows["hub.listen"] == {
        "key": "hub.listen", "value": "127.0.0.1:8700", "origin": "hub.toml:2",
    }  # fmt: skip
    assert rows["hub.log"]["origin"] == "default"
    assert "hub.toml:6  adapters.crm.enabled = false" in origins.stdout
    assert misspelt.exit_code == 4
    assert "did you mean 'hub.listen'?" in misspelt.stderr


def test_no_secret_is_shown(desk: Path, deskhub: Any) -> None:
    (desk.parent / "t").write_text("hunter2" * 8)
    desk.write_text(
        '[hub]\nstore = "postgresql://desk@db/desk"\nstore_password = { file = "t" }\n'
        '[inboxes.web]\nidentity_secret = { file = "t" }\n'
        '[adapters.crm]\nconfig = { base_url = "https://c", token = { file = "t" } }\n'
    )

    shown = deskhub("config", "show", "--json", "-c", desk)

    hidden = [one["key"] for one in json.loads(shown.stdout)["data"] if one["value"] == "••••"]
    assert hidden == [
        "hub.store_password", "inboxes.web.identity_secret", "adapters.crm.config.token",
    ]  # fmt: skip
    assert "hunter2" not in shown.stdout


def test_an_inbox_gets_a_key_and_a_line_for_the_page(desk: Path, deskhub: Any) -> None:
    added = deskhub("inbox", "add", "shop", "--origin", "https://shop.example.com", "-c", desk)
    again = deskhub("inbox", "add", "shop", "-c", desk)
    listed = json.loads(deskhub("inbox", "list", "--json", "-c", desk).stdout)["data"]
    snippet = deskhub("inbox", "snippet", "shop", "-c", desk)
    missing = deskhub("inbox", "snippet", "shp", "-c", desk)

    key = table(desk)["inboxes"]["shop"]["key"]
    assert added.exit_code == 0, added.stderr
    assert len(key) >= 16
    assert added.stdout.endswith(snippet.stdout)
    assert f'data-inbox="{key}"' in snippet.stdout
    assert [one["id"] for one in listed] == ["web", "shop"]
    assert (again.exit_code, "DH119" in again.stderr) == (7, True)
    assert (missing.exit_code, "did you mean 'shop'?" in missing.stderr) == (4, True)


def test_an_origin_that_is_none_adds_no_inbox(desk: Path, deskhub: Any) -> None:
    refused = deskhub("inbox", "add", "shop", "--origin", "shop.example.com/x", "-c", desk)

    assert refused.exit_code == 3
    assert "shop" not in table(desk)["inboxes"]


def test_the_console_is_opened_in_a_browser(
    desk: Path, deskhub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) is None)

    done = deskhub("open", "-c", desk)

    assert done.stdout == "http://127.0.0.1:8700/console/\n"
    assert opened == ["http://127.0.0.1:8700/console/"]
