"""A worker that stands still writes down where, whether or not its interpreter is free."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from deskhub.host.isolation.traces import place_in

RUN = """
import asyncio, re, time
from deskhub_sdk.worker import heart
from deskhub_sdk.worker.heart import Heart

heart.LOCKED_S = 1.75

async def main():
    async with asyncio.TaskGroup() as group:
        beating = group.create_task(Heart(stuck_s=1.5).run())
        await asyncio.sleep(0.3)
        {work}
        await asyncio.sleep(0.6)
        beating.cancel()

asyncio.run(main())
"""


def told(work: str, seconds: float = 60) -> str:
    """Return what a program prints whose loop does *work*; ended after *seconds*."""
    program = RUN.format(work=textwrap.indent(work, " " * 8).lstrip())
    running = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    try:
        return running.communicate(timeout=seconds)[1].decode()
    except subprocess.TimeoutExpired:
        running.kill()
        return running.communicate()[1].decode()


@pytest.mark.parametrize(
    ("work", "seconds"),
    [
        ("end = time.monotonic() + 3\nwhile time.monotonic() < end: pass", 60),
        ("re.match(r'(a+)+$', 'a' * 64 + 'b')", 10),
    ],
    ids=["its own code runs", "native code holds the interpreter"],
)
def test_the_line_that_stands_still_is_written_down(work: str, seconds: float) -> None:
    place = place_in(told(work, seconds))

    assert place is not None
    assert place[0] == "<string>"


def test_a_loop_that_goes_on_is_left_alone() -> None:
    assert told("await asyncio.sleep(2)") == ""


def test_one_stand_is_told_once() -> None:
    errors = told("end = time.monotonic() + 3\nwhile time.monotonic() < end: pass")

    assert errors.count("most recent call first") == 2  # One look at two threads.
