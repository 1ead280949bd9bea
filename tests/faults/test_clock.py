"""The wall clock jumps an hour while people talk: nobody is thrown out, the order holds."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.client import FAST, Client
from tests.support.crowd import crowd
from tests.support.served import Served
from tests.tools.needs import faketime

LIBRARY = faketime()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        LIBRARY is None, reason="no libfaketime here (apt-get install faketime)"
    ),
]

# The clock jumped from an hour ahead to an hour behind.
SPAN_S = 7_000
# What a loaded machine delays must not look like a lost connection.
CALM = replace(FAST, welcome_s=10, silence_s=20, answer_s=10)


async def test_a_jump_of_an_hour_changes_no_order_and_ends_only_what_expired(
    tmp_path: Path,
) -> None:
    """Tokens of fifteen minutes are the twin: those connections the same check sees end."""
    stamp = tmp_path / "offset"
    stamp.write_text("+0\n")
    hub = Served(
        tmp_path / "hub.db",
        ("--heartbeat-s", "1"),
        env={
            "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(stamp),
            "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_RESET": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
        is_fresh=True,
    )  # fmt: skip
    now = time.time()
    await hub.start()
    try:
        async with crowd(
            hub, visitors=6, agents=2, pace=CALM, token=lambda who: signed(who, now + 4 * 3600)
        ) as people:
            twin = Client(
                hub.port, signed("visitor.v_twin", now + 900), people.ledger, pace=CALM
            )
            async with asyncio.TaskGroup() as group:
                running = group.create_task(twin.run())
                await people.acknowledged(30)
                async with asyncio.timeout(60):
                    stamp.write_text("+3600\n")
                    # The library looks once a second, the pulse as well.
                    while not twin.close_codes:
                        await asyncio.sleep(0.05)
                    await people.acknowledged(20)
                    stamp.write_text("-3600\n")
                    while span_s(hub.db) <= SPAN_S:
                        await asyncio.sleep(0.2)
                    await people.acknowledged(20)
                await people.settle()
                running.cancel()
    finally:
        await hub.kill()

    span = span_s(hub.db)
    verdict = people.judge()
    opens = [one.opens for one in people.visitors if not one.polls_only]
    print(f"clock moved over {span} s: {verdict}, connections {opens}, twin {twin.opens}")
    assert span > SPAN_S
    assert verdict.is_clean, str(verdict)
    assert opens == [1] * len(opens)
    assert twin.opens > 1
    assert set(twin.close_codes) == {4401}


def span_s(db: Path) -> int:
    """Return the seconds between the earliest time and the latest in the log."""
    with contextlib.closing(sqlite3.connect(db)) as connection:
        query = "SELECT (max(at) - min(at)) / 1000000 FROM event"
        return int(connection.execute(query).fetchone()[0])


def signed(who: str, until: float) -> str:
    """Return a token of *who* that says when it ends; nobody checks its signature here."""
    claims = json.dumps({"sub": who, "exp": until}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"
