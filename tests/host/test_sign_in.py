"""The sign-in page's buttons: one for each instance that signs people in, with its own words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deskhub.clock import SystemClock
from deskhub.config import Config as HubConfig
from deskhub.config import Instance
from deskhub.host.host import Host
from deskhub.host.ports import HostPorts
from deskhub.host.sign_in import SignInAdapters

CONFIG: dict[str, Any] = {
    "issuer": "https://id.example.com", "client_id": "deskhub", "client_secret": "secret",
}  # fmt: skip


@pytest.fixture
def buttons() -> Callable[..., list[tuple[str, str]]]:
    """Return (instance, words) of every button for these instances of the sso adapter."""

    def show(**settings: dict[str, Any]) -> list[tuple[str, str]]:
        config = HubConfig(
            path=Path("hub.toml"),
            adapters={
                name: Instance(
                    id=name, use="sso", config={**CONFIG, **own},
                    secret_keys=frozenset({"client_secret"}),
                )
                for name, own in settings.items()
            },
        )  # fmt: skip
        nothing: Any = None
        host = Host.build(
            config,
            SystemClock(),
            HostPorts(chat=nothing, kv=nothing, seats=nothing, emit=nothing),
        )
        return [(one.instance, one.name) for one in SignInAdapters(host).all()]

    return show


def test_a_button_says_what_its_admin_wrote(buttons: Any) -> None:
    assert buttons(staff={"name": "Acme account"}, partners={"name": "Partner account"}) == [
        ("partners", "Partner account"),
        ("staff", "Acme account"),
    ]


def test_without_a_name_the_adapter_has_words_of_its_own(buttons: Any) -> None:
    assert buttons(staff={}) == [("staff", "Single sign-on")]
