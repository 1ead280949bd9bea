"""Whoever stops the loop is named with file and line."""

from __future__ import annotations

import asyncio
import logging
import sys
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


BUSY = """
import asyncio, time
from deskhub.clock import SystemClock
from deskhub.host.watchdog import Watchdog

class Nobody:
    def all_instances(self):
        return []

def deep(left):
    return left and deep(left - 1) + 1

async def main():
    watching = asyncio.create_task(
        Watchdog(Nobody(), SystemClock(), tick_s=0.0005, blocked_s=0.0005).run()
    )
    end = time.monotonic() + 4
    while time.monotonic() < end:
        until = time.monotonic() + 0.004
        while time.monotonic() < until:
            deep(30)
            eval(compile("1 + 1", "<made up>", "eval"))
        await asyncio.sleep(0.001)
    watching.cancel()

asyncio.run(main())
"""


async def test_looking_at_a_loop_that_is_busy_ends_no_hub() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BUSY, stderr=asyncio.subprocess.PIPE
    )

    _, said = await process.communicate()

    assert process.returncode == 0
    assert b"loop_blocked" in said, "it never looked"
