"""The scorecard says what was counted, and says so where nothing was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.scorecard import ROWS, Scorecard


def line_of(card: Scorecard, key: str) -> str:
    (found,) = [line for line in card.text() if line.startswith(ROWS[key].what)]
    return found


def test_what_nobody_counted_is_neither_kept_nor_broken() -> None:
    card = Scorecard()
    card.record("return-keys", 5, "keys")

    assert "5 keys" in line_of(card, "return-keys")
    assert line_of(card, "return-keys").endswith("kept")
    for key in ROWS.keys() - {"return-keys"}:
        assert "not measured" in line_of(card, key)
        assert "kept" not in line_of(card, key).lower()


def test_a_broken_promise_is_called_one() -> None:
    card = Scorecard()
    card.record("offline", 2.01, "s")
    card.violated("inbox", "dark en", 0)
    card.violated("profile", "dark en", 1)

    assert line_of(card, "offline").endswith("NOT KEPT")
    assert "1 violations" in line_of(card, "axe")
    assert line_of(card, "axe").endswith("NOT KEPT (2 screens, 2 looks at them)")


def test_seven_of_eight_drafts_are_not_enough_and_the_lost_one_is_named() -> None:
    card = Scorecard()
    for number in range(7):
        card.record(f"drafts/way {number}", 1, "of 8")
    card.note("drafts", "merge", "LOST")

    assert line_of(card, "drafts").endswith("NOT KEPT (lost: merge)")


def test_another_unit_and_an_unknown_row_are_refused() -> None:
    card = Scorecard()

    with pytest.raises(ValueError, match="counted in s, not in ms"):
        card.record("offline", 800, "ms")
    with pytest.raises(KeyError):
        card.record("offlien", 1, "s")


def test_the_second_try_of_a_run_goes_on_with_the_first_ones_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "card"
    file.touch()
    monkeypatch.setenv("DESKHUB_SCORECARD", str(file))
    first, second = Scorecard(), Scorecard()
    first.record("return-keys", 9, "keys")
    first.record("offline", 1, "s")

    second.load()
    second.record("return-keys", 7, "keys")

    assert "7 keys" in line_of(second, "return-keys")
    assert "1 s" in line_of(second, "offline")
