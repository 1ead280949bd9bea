"""Whoever stops the loop is named with file and line."""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from deskhub.clock import SystemClock
from deskhub.config import Instance
from deskhub.host.watchdog import Watchdog
from tests.host.small_hub import eventually, small_hub
from tests.support.failing import FD, HEAD, says

BLOCKS = {
    "a loop": "end = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nreturn {}",
    "a regex that holds the interpreter": "re.match(r'(a+)+$', 'a' * 22 + 'b')\nreturn {}",
    "a call of the standard library": "time.sleep(1)\nreturn {}",
}


@pytest.mark.parametrize("how", BLOCKS)
async def test_an_inline_adapter_that_blocks_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "blocking.py").write_text(HEAD + FD + says(BLOCKS[how]))
    monkeypatch.syspath_prepend(code)
    settings = {"bad": Instance(id="bad", use="bad", isolation="inline")}
    points = {"bad": EntryPoint("bad", "blocking:Test", "deskhub.adapters")}
    async with small_hub(tmp_path, {}, settings=settings, points=points, run=("host",)) as hub:
        watchdog = Watchdog(hub.host, SystemClock(), tick_s=0.02, blocked_s=0.1)
        one = hub.host.instance("bad")
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watchdog.run())
            await asyncio.sleep(0)
            with caplog.at_level(logging.ERROR):
                await hub.host.direct("bad", "diagnostics")
                await eventually(lambda: one.state == "degraded", 15)
            watching.cancel()
        words = one.words
    monkeypatch.delitem(__import__("sys").modules, "blocking", raising=False)

    source = (HEAD + FD + says(BLOCKS[how])).splitlines()
    body = range(source.index("    async def diagnostics(self):") + 2, len(source) + 1)
    assert words.startswith("Fake held every chat up for ")
    assert any(f"blocking.py:{line}." in words for line in body), words
    assert "adapter_blocked" in [record.message for record in caplog.records]
