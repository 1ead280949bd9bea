"""Failing adapters: the culprit is named, the chat goes on; without isolation it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import chaos_adapters

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_every_fault_is_named_and_loses_nothing(tmp_path: Path) -> None:
    verdict = await chaos_adapters.run(0.6, tmp_path, quiet_s=0.3, rounds=1)

    assert (verdict.unnamed, verdict.unseen, verdict.lost) == ([], [], 0)
    # The twin below stands still for a second each time, whatever else the machine does.
    assert all(one.p50_ms < 500 for one in verdict.phases)


async def test_the_twin_without_isolation_stops_the_chat(tmp_path: Path) -> None:
    verdict = await chaos_adapters.run(2.0, tmp_path, inline=True, only="burns", rounds=1)

    # Quiet times right after it may suffer too, so they are no measure here.
    assert verdict.phases[0].compared.p99_ms > 500
