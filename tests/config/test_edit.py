"""hub.toml is changed as a person would: everything that was not meant stays where it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from deskhub.config import edit
from deskhub.config.edit import Edit, NotEditable, as_toml, draft, edited

SOURCE = """\
# what this hub is for
schema = 1

[hub]
listen = "127.0.0.1:8700"   # behind nginx
[adapters.shop]
use = "orders"
enabled = false             # until Monday
config = { base_url = "https://a.example", token = { env = "TOKEN" } }

[order]
conversation_cards = ["shop"]
"""


def changed(*edits: Edit) -> list[str]:
    """Return the lines that *edits* take out of SOURCE and put into it."""
    return [
        line
        for line in edit.Draft(
            Path("hub.toml"), SOURCE, edited(SOURCE, edits)
        ).diff.splitlines()
        if line[:1] in "+-" and not line.startswith(("+++", "---"))
    ]


@pytest.mark.parametrize(
    ("edits", "lines"),
    [
        (
            [Edit(("adapters", "shop", "enabled"), True)],
            ["-enabled = false             # until Monday",
             "+enabled = true             # until Monday"],
        ),
        (
            [Edit(("hub", "log"), "debug")],
            ['+log = "debug"'],
        ),
        (
            [Edit(("adapters", "shop", "config", "token"), {"file": "t"})],
            ['-config = { base_url = "https://a.example", token = { env = "TOKEN" } }',
             '+config = { base_url = "https://a.example", token = { file = "t" } }'],
        ),
        (
            [Edit(("adapters", "crm", "enabled"), True),
             Edit(("adapters", "crm", "config", "days"), 3)],
            ["+", "+[adapters.crm]", "+enabled = true", "+", "+[adapters.crm.config]",
             "+days = 3"],
        ),
        ([Edit(("order", "conversation_cards"), None)], ['-conversation_cards = ["shop"]']),
        ([Edit(("adapters", "shop", "use"), "orders")], []),
        ([Edit(("market", "policy"), None)], []),
    ],
)  # fmt: skip
def test_only_what_was_meant_changes(edits: list[Edit], lines: list[str]) -> None:
    assert changed(*edits) == lines


def test_what_stands_there_afterwards_is_the_old_file_with_the_change() -> None:
    after = edited(SOURCE, [Edit(("adapters", "shop", "limits", "timeout"), "2s")])

    wanted = tomllib.loads(SOURCE)
    wanted["adapters"]["shop"]["limits"] = {"timeout": "2s"}
    assert tomllib.loads(after) == wanted


def test_a_way_of_writing_that_would_come_out_wrong_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edit, "_made", lambda source, _: source.replace("8700", "8701"))

    with pytest.raises(NotEditable):
        edited(SOURCE, [Edit(("adapters", "shop", "enabled"), True)])


def test_a_key_under_a_value_is_refused() -> None:
    with pytest.raises(NotEditable, match="'listen' is no table"):
        edited(SOURCE, [Edit(("hub", "listen", "port"), 1)])


def test_a_file_is_replaced_in_one_step_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(SOURCE)
    path.chmod(0o640)

    draft(path, [Edit(("hub", "log"), "debug")]).write()

    assert 'log = "debug"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["hub.toml"]


def test_what_somebody_else_wrote_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(SOURCE)
    waiting = draft(path, [Edit(("hub", "log"), "debug")])
    path.write_text(SOURCE + "# mine\n")

    with pytest.raises(NotEditable, match="changed by somebody else"):
        waiting.write()

    assert path.read_text().endswith("# mine\n")


def test_a_read_only_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(SOURCE)
    # A test may run as root, whom no mode keeps out.
    monkeypatch.setattr(edit.os, "access", lambda place, _: Path(place) != path)

    with pytest.raises(NotEditable, match=r"hub\.toml is read-only here"):
        draft(path, [Edit(("hub", "log"), "debug")]).write()

    assert path.read_text() == SOURCE


def test_edits_can_be_shown_as_a_piece_of_toml() -> None:
    piece = as_toml([
        Edit(("adapters", "shop", "enabled"), True),
        Edit(("adapters", "shop", "config", "token"), {"env": "TOKEN"}),
    ])  # fmt: skip

    assert piece == (
        '[adapters.shop]\nenabled = true\n\n[adapters.shop.config]\ntoken = { env = "TOKEN" }\n'
    )
