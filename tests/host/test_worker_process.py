"""A worker's process: whoever gives it up leaves nothing of it behind."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from deskhub.host.isolation.process import WorkerProcess


class Started:
    """Owns what watches the worker, for as long as the loop runs."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


async def _given_up(folder: Path) -> int:
    """Start a worker and leave in the middle of stopping it, as a hub that is killed does."""
    owner = Started()
    worker = WorkerProcess("a", memory=2**28, folder=folder / "w", on_end=lambda _: None)

    async def nothing(_: Any) -> Any:
        raise AssertionError("nobody asks")

    await worker.start(nothing, lambda _: None, owner)
    pid = worker.pid
    await owner.close()
    stopping = asyncio.get_running_loop().create_task(worker.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    await asyncio.wait([stopping])
    return pid


def test_giving_up_in_the_middle_of_a_stop_leaves_no_open_transport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: seen.append(found.exc_value))

    pid = asyncio.run(_given_up(tmp_path))
    gc.collect()

    assert seen == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
