"""Server processes on their core: started, asked what they used, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER_CPU, CLIENT_CPU = 0, 1
ROOT = Path(__file__).parents[2]


@dataclass
class Program:
    """A process that talks in JSON lines; the first one says its port."""

    process: asyncio.subprocess.Process
    hello: dict[str, Any]

    @property
    def port(self) -> int:
        return int(self.hello["port"])

    def cpu_s(self) -> float:
        """Return the CPU seconds that its threads have used, to the nanosecond."""
        total = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9

    def pss_kb(self) -> int:
        """Return its memory; what it shares counts in proportion."""
        return pss_kb(self.process.pid)

    def descriptors(self) -> int:
        """Return how many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    async def ask(self, line: str, within_s: float = 60) -> dict[str, Any]:
        """Write *line* to its stdin; return its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        async with asyncio.timeout(within_s):
            answer: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return answer


@contextlib.asynccontextmanager
async def program(
    module: str, *arguments: str, cpu: int | str = SERVER_CPU
) -> AsyncIterator[Program]:
    """Run ``python -m module`` on *cpu*, as taskset writes it, until the block ends."""
    async with command([sys.executable, "-m", module, *arguments], cpu=cpu) as running:
        yield running


@contextlib.asynccontextmanager
async def command(
    words: Sequence[str], *, cpu: int | str = SERVER_CPU, env: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run *words* on *cpu* until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(["taskset", "-c", str(cpu)] if _cores() > 1 else []), *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env=os.environ | (env or {}), cwd=ROOT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            first = await process.stdout.readline()
        if not first:
            raise RuntimeError(f"{' '.join(words)} ended before it listened")
        yield Program(process, json.loads(first))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(15):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def pin_client() -> None:
    """Stay off the server's core, and allow as many sockets as the system lets us."""
    if _cores() > 1:
        os.sched_setaffinity(0, {CLIENT_CPU})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def other_cpus() -> str:
    """Return every core but the client's, as taskset writes them."""
    return ",".join(str(cpu) for cpu in range(_cores()) if cpu != CLIENT_CPU)


def pss_kb(pid: int) -> int:
    """Return a process's proportional memory in kB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise LookupError(pid)


def _cores() -> int:
    return os.cpu_count() or 1
