"""What a changed hub.toml means: which instance does what, and what has to wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskhub.config import Config, load
from deskhub.host.plan import attainable, planned

FILE = """
[inboxes.shop]
key = "k"
[adapters.shop]
use = "orders"
limits = { timeout = "2s", concurrency = 8 }
[adapters.shop.config]
base_url = "https://shop.example"
[adapters.crm]
enabled = false
[bind]
"orders@1" = "shop"
"""


@pytest.fixture
def read(tmp_path: Path):
    def make(text: str) -> Config:
        path = tmp_path / "hub.toml"
        path.write_text(text)
        return load(path)

    return make


@pytest.mark.parametrize(
    ("before", "after", "kind", "where", "word"),
    [
        ("8700", "8700", None, "", ""),
        ("enabled = false", "enabled = true", "add", "adapters.crm", "switched on"),
        ('use = "orders"', 'use = "orders"\nenabled = false', "remove", "adapters.shop", "off"),
        ('use = "orders"', 'use = "other"', "restart", "adapters.shop", "use changed"),
        ('"2s"', '"3s"', "in_place", "adapters.shop", "limits.timeout"),
        ("concurrency = 8", 'memory = "64MB"', "restart", "adapters.shop", "limits.memory"),
        ("shop.example", "s3cret.example", "restart", "adapters.shop", "config.base_url"),
        ('"shop"', '"crm"', "in_place", "bind", "orders@1"),
        ('key = "k"', 'key = "other"', "hub", "inboxes.shop", "changed"),
        ("[inboxes", '[hub]\nlisten = "1.2.3.4:80"\n[inboxes', "hub", "hub.listen", "changed"),
        ('use = "orders"', 'tenant = "b"\nuse = "orders"', "hub", "adapters.shop", "tenant b"),
    ],
)
def test_each_change_has_its_kind(
    read, before: str, after: str, kind: str | None, where: str, word: str
) -> None:
    plan = planned(read(FILE), read(FILE.replace(before, after)))

    assert [(one.kind, one.where) for one in plan] == ([(kind, where)] if kind else [])
    assert all(word in str(one) for one in plan)
    assert "s3cret" not in "".join(str(one) for one in plan)


def test_what_comes_and_goes_is_added_and_removed(read) -> None:
    without = FILE.partition("[adapters.crm]")[0]

    assert [(one.kind, one.where) for one in planned(read(without), read(FILE))] == [
        ("add", "adapters.crm"), ("in_place", "bind"),
    ]  # fmt: skip
    assert [(one.kind, one.where) for one in planned(read(FILE), read(without))] == [
        ("remove", "adapters.crm"), ("in_place", "bind"),
    ]  # fmt: skip


def test_an_adapter_that_was_installed_anew_is_started_anew(read) -> None:
    same = read(FILE)

    (change,) = planned(same, same, {"shop"})

    assert str(change) == (
        "adapters.shop is started beside the old one, which ends its calls and stops: "
        "its adapter was installed anew."
    )


def test_what_has_to_wait_is_planned_again_until_the_hub_is_started(read) -> None:
    running = read(FILE)
    wanted = read(FILE.replace('key = "k"', 'key = "other"').replace('"2s"', '"3s"'))

    after = attainable(running, wanted)

    assert [(one.kind, one.where) for one in planned(after, wanted)] == [
        ("hub", "inboxes.shop")
    ]
