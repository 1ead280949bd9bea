"""Start peers as processes on loopback, wait for their first answers, stop every one."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp

from deskhub.cli.lab.cache import LAST_LINES, Cache, LabFailed
from deskhub.cli.lab.peers import Peer, Site, Started

READY_S = 60.0
STOP_S = 12.0
LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that answers."""

    peer: Peer
    site: Site
    started: Started
    process: asyncio.subprocess.Process
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return what a script needs to use it."""
        peer = self.peer
        return {
            "title": peer.title, "version": peer.version, "licence": peer.licence,
            "pid": self.process.pid, "seconds": round(self.seconds, 2), **self.started.told,
        }  # fmt: skip


async def prepare(
    peers: Sequence[Peer], cache: Cache, say: Callable[[str, float], None]
) -> None:
    """Make what is not in *cache* yet, one after the other. Raises `LabFailed`."""
    for peer in peers:
        if missing := peer.missing():
            raise LabFailed(f"{peer.title} needs {', '.join(missing)} on this machine")
        if peer.is_ready(cache):
            continue
        began = monotonic()
        await cache.part(peer.place(cache), peer.make)
        say(f"{peer.title} {peer.version} made", monotonic() - began)


@asynccontextmanager
async def running(
    peers: Sequence[Peer], cache: Cache, *, hub: str = "http://127.0.0.1:8700"
) -> AsyncIterator[dict[str, Running]]:
    """Run *peers* while the block runs; every process ends with it, and with this process.

    Each gets a free port and a fresh copy of its data. Raises `LabFailed` with the last lines
    of one that does not answer in a minute.
    """
    processes: list[asyncio.subprocess.Process] = []
    begun: list[tuple[Peer, Site, Started, asyncio.subprocess.Process, float]] = []
    try:
        for peer in peers:
            scratch = Path(tempfile.mkdtemp(prefix=f"deskhub-lab-{peer.name}-"))
            site = Site(_free_port(), scratch, hub)
            started = await asyncio.to_thread(peer.start, peer.place(cache), site)
            processes.append(await _leashed(started, scratch))
            begun.append((peer, site, started, processes[-1], monotonic()))
        found = {}
        for peer, site, started, process, began in begun:
            await _answers(peer, started.ready, process, site.scratch)
            found[peer.name] = Running(peer, site, started, process, monotonic() - began)
        yield found
    finally:
        await _stop(processes)


async def _leashed(started: Started, scratch: Path) -> asyncio.subprocess.Process:
    """Start the command on a leash: it ends when this process does, whatever happens."""
    with (scratch / "output.log").open("wb") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(LEASH), str(os.getpid()), "--remove", str(scratch),
            "--", *started.command,
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd=scratch,
        )  # fmt: skip


async def _answers(
    peer: Peer, url: str, process: asyncio.subprocess.Process, scratch: Path
) -> None:
    """Return when *url* answers anything. Raises `LabFailed` when the peer gives up."""
    log = scratch / "output.log"
    timeout = aiohttp.ClientTimeout(total=5)
    try:
        async with (
            asyncio.timeout(READY_S),
            aiohttp.ClientSession(timeout=timeout) as http,
        ):
            while process.returncode is None:
                try:
                    async with http.get(url):
                        return
                except (aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    raise LabFailed(f"{peer.title} does not answer", lines[-LAST_LINES:])


async def _stop(processes: Sequence[asyncio.subprocess.Process]) -> None:
    """Ask every leash to end, which ends its peer; kill one that does not."""
    alive = [process for process in processes if process.returncode is None]
    for process in alive:
        process.terminate()
    for process in alive:
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
