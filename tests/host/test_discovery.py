"""Finding adapters: only enabled ones are imported, and every mistake is explained."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from deskhub.config import Instance
from deskhub.host.discovery import Found, look_at, sdk_fits

GOOD = """
from deskhub_sdk import Adapter, Config, Meta, hookimpl
from pydantic import SecretStr
class ShopConfig(Config):
    base_url: str
    token: SecretStr
    page: int = 50
class Shop(Adapter[ShopConfig]):
    meta = Meta(id="shop", name="Shop", sdk=">=1.0,<2")
    config_model = ShopConfig
    @hookimpl
    async def conversation_cards(self, customer):
        return []
"""
CONFIG: dict[str, Any] = {"base_url": "https://shop.example", "token": "t"}


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write *source* as an installed adapter's module and look at an instance of it."""
    monkeypatch.syspath_prepend(tmp_path)

    def look(
        source: str | None = GOOD,
        value: str = "fake_shop:Shop",
        use: str = "shop",
        **config: Any,
    ) -> Found:
        sys.modules.pop("fake_shop", None)
        if source is not None:
            (tmp_path / "fake_shop.py").write_text(source)
        points = {"shop": EntryPoint("shop", value, "deskhub.adapters")}
        return look_at(
            Instance(id="eu-shop", use=use, isolation="inline", config=config or CONFIG), points
        )

    yield look
    sys.modules.pop("fake_shop", None)


def only(found: Found, code: str) -> str:
    (problem,) = found.problems
    assert problem.code == code
    return str(problem)


def test_a_good_adapter_is_found_with_its_hooks_and_settings(look: Any) -> None:
    found = look()

    assert found.problems == ()
    assert found.hooks == {"conversation_cards"}
    assert found.config.page == 50


def test_an_adapter_that_is_not_installed_gets_a_guess(look: Any) -> None:
    text = only(look(use="shpo"), "DH201")

    assert "Did you mean 'shop'?" in text
    assert "[adapters.eu-shop] use" in text


def test_an_entry_point_that_points_nowhere_says_what_it_names(look: Any) -> None:
    assert "fake_shop:Shopp" in only(look(value="fake_shop:Shopp"), "DH501")


def test_an_entry_point_that_is_no_adapter_is_refused(look: Any) -> None:
    only(look(value="fake_shop:SecretStr"), "DH501")


def test_an_import_error_names_file_and_line(look: Any) -> None:
    text = only(look("import os\nimport zeepp\n"), "DH502")

    assert "fake_shop.py:2" in text
    assert "No module named 'zeepp'" in text


def test_a_syntax_error_names_file_and_line(look: Any) -> None:
    assert "fake_shop.py:2" in only(look("x = 1\ndef broken(:\n"), "DH502")


def test_a_module_that_exits_is_set_aside(look: Any) -> None:
    assert "SystemExit" in only(look("raise SystemExit(1)\n"), "DH502")


@pytest.mark.parametrize("sdk", [">=2.0", "<1.0", "==0.9", ">=1.1,<2"])
def test_an_sdk_range_that_does_not_fit_is_refused(look: Any, sdk: str) -> None:
    text = only(look(GOOD.replace(">=1.0,<2", sdk)), "DH210")

    assert "this hub has SDK 1.0" in text


def test_a_range_that_cannot_be_read_is_refused(look: Any) -> None:
    only(look(GOOD.replace(">=1.0,<2", "one-ish")), "DH211")


def test_sdk_ranges() -> None:
    assert sdk_fits(">=1.0,<2", "1.0")
    assert sdk_fits("==1.0.0", "1.0")
    assert sdk_fits(">=1.2", "1.10")
    assert not sdk_fits("!=1.0", "1.0")


def test_a_misspelt_hook_gets_a_guess_and_its_place(look: Any) -> None:
    text = only(look(GOOD.replace("conversation_cards", "conversation_card")), "DH503")

    assert "Did you mean 'conversation_cards'?" in text
    assert "fake_shop.py:11" in text


def test_an_unknown_argument_lists_what_is_offered(look: Any) -> None:
    text = only(look(GOOD.replace("self, customer", "self, costumer")), "DH504")

    assert "conversation, customer" in text
    assert "Did you mean 'customer'?" in text


def test_a_hook_that_is_not_async_is_refused(look: Any) -> None:
    only(look(GOOD.replace("async def", "def")), "DH505")


def test_a_hook_wrapper_is_refused(look: Any) -> None:
    source = GOOD.replace("@hookimpl\n", "@hookimpl(wrapper=True)\n")

    assert "DH507" in {problem.code for problem in look(source).problems}


def test_every_wrong_setting_is_named_at_once_and_no_value_is_repeated(look: Any) -> None:
    found = look(base_url=7, tokn="s3cret-value")

    assert {(problem.code, problem.where.split()[-1]) for problem in found.problems} == {
        ("DH202", "base_url"),
        ("DH203", "tokn"),
        ("DH204", "token"),
    }
    text = " ".join(map(str, found.problems))
    assert "Did you mean 'token'?" in text
    assert "s3cret-value" not in text
    assert all(problem.state == "config_invalid" for problem in found.problems)
