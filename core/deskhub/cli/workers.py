"""Several processes behind one port: the system shares the connections out between them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Sequence

from deskhub.config import Config
from deskhub.edge.server import listener

log = logging.getLogger("deskhub.workers")

# A worker that ends this soon did not work; after so many in a row it never will.
YOUNG_S = 10.0
YOUNG_MAX = 3
PAUSE_S = 0.5
STOP_S = 20.0


async def run_workers(settings: Config, options: Sequence[str], count: int) -> int:
    """Keep *count* workers running until SIGINT or SIGTERM; return the exit code.

    A worker that dies is started again. Raises `PortInUse`.
    """
    # The first look finds any other program; the second place is kept, without listening,
    # so that nobody takes the port while all workers are between two lives.
    listener(settings).close()
    place = listener(settings, shared=True, listening=False)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            slots = [
                group.create_task(_keep(number, options, stop), name=f"worker:{number}")
                for number in range(1, count + 1)
            ]
    finally:
        place.close()
    return max(slot.result() for slot in slots)


async def _keep(number: int, options: Sequence[str], stop: asyncio.Event) -> int:
    """Keep one worker running until *stop*; return 0, or the code of one that cannot run."""
    young = 0
    while not stop.is_set():
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deskhub", "serve", *options, "--worker", str(number),
            stdin=asyncio.subprocess.PIPE,
        )  # fmt: skip
        code = await _until_ended(process, stop)
        if stop.is_set():
            break
        log.error("worker_ended", extra={"worker": number, "code": code})
        young = young + 1 if time.monotonic() - began < YOUNG_S else 0
        if young >= YOUNG_MAX:
            log.error("worker_given_up", extra={"worker": number, "code": code})
            stop.set()
            return abs(code) or 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_S * young):
                await stop.wait()
    return 0


async def _until_ended(process: asyncio.subprocess.Process, stop: asyncio.Event) -> int:
    """Wait until *process* has ended, by itself or because of *stop*; return its code."""
    async with asyncio.TaskGroup() as group:
        ended = group.create_task(process.wait(), name="ended")
        told = group.create_task(stop.wait(), name="told")
        await asyncio.wait([ended, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not ended.done():
            process.send_signal(signal.SIGTERM)
            await asyncio.wait([ended], timeout=STOP_S)
        if not ended.done():
            log.error("worker_killed", extra={"pid": process.pid})
            process.kill()
    return ended.result()
