"""SIGKILL in the middle of a conversation: what was acknowledged stays, once and in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import chaos

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_kills_lose_double_and_reorder_nothing(tmp_path: Path) -> None:
    figures = await chaos.run(10, tmp_path)

    print(f"{figures}; {figures.beside()}")
    assert figures.kills == 10
    assert figures.acknowledged > 300
    assert figures.is_clean, str(figures)


@pytest.mark.parametrize(
    ("fault", "found"),
    [("ack_before_commit", "lost"), ("no_dedupe", "duplicates")],
)
async def test_two_kills_are_enough_to_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, found: str
) -> None:
    monkeypatch.setenv("DESKHUB_SABOTAGE", fault)

    figures = await chaos.run(2, tmp_path)

    assert getattr(figures, found) > 0, str(figures)
