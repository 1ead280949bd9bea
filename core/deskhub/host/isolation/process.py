"""One worker process: started, watched, bounded in what it prints, and ended with its group.

Whatever ends it, there is one sentence that says what happened and, where Python could still
tell, in which line of the adapter.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from deskhub.host.isolation.traces import place_in
from deskhub_sdk import AdapterError
from deskhub_sdk.context import Tasks
from deskhub_sdk.worker.frames import Garbage
from deskhub_sdk.worker.heart import STUCK_S
from deskhub_sdk.worker.peer import Handler, Listener, Peer
from deskhub_sdk.worker.serve import EXIT_MEMORY

PING_EVERY_S = 1.0
PING_S = 3.0
STOP_S = 2.0
HEARD_S = 2.0
OUTPUT_BYTES = 1024 * 1024
OUTPUT_WINDOW_S = 10.0
TAIL_BYTES = 16_384

log = logging.getLogger(__name__)


class WorkerEnded(AdapterError):
    """The adapter's process ended; the text says what it did, as in "Orders …"."""

    code = "worker_ended"


class WorkerProcess:
    """A process that runs one adapter, and the socket to it."""

    def __init__(
        self,
        instance: str,
        *,
        memory: int,
        folder: Path,
        on_end: Callable[[WorkerEnded], None],
    ) -> None:
        """Nothing runs before `start`; *on_end* is called once unless `stop` was."""
        self._instance = instance
        self._memory = memory
        self._folder = folder
        self._on_end = on_end
        self._process: asyncio.SubprocessTransport | None = None
        self._life = _Life()
        self._why: str | None = None
        self._stopping = False
        self.peer: Peer
        self.ended = asyncio.Event()

    @property
    def pid(self) -> int:
        """Return the process id; 0 before there is one."""
        return (self._process.get_pid() or 0) if self._process is not None else 0

    @property
    def reason(self) -> WorkerEnded:
        """Return why it ended."""
        return WorkerEnded(self._why or "ended")

    async def start(self, handle: Handler, told: Listener, tasks: Tasks) -> None:
        """Start the process and connect; *tasks* own what watches it."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003  its only form
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._life = _Life(self.end)
        self.peer = Peer(handle, told, self._lost)
        try:
            self._process, _ = await loop.subprocess_exec(
                lambda: self._life,
                sys.executable, "-I", "-X", "utf8", "-m", "deskhub_sdk.worker",
                str(theirs.fileno()), str(os.getpid()),
                pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                env={"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}, cwd=self._folder,
                start_new_session=True,
            )  # fmt: skip
            await loop.create_connection(lambda: self.peer, sock=ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        tasks.start(self._watch(), name="worker")

    def watch_pulse(self, tasks: Tasks) -> None:
        """From now on the worker has to answer within seconds, or it is ended."""
        tasks.start(self._pulse(), name="worker-pulse")

    async def stop(self) -> None:
        """End the process and all its children."""
        self._stopping = True
        if self._process is None:
            return
        try:
            await self.peer.close()
            async with asyncio.timeout(STOP_S):
                await self._life.ended.wait()
        except TimeoutError:
            log.warning("worker_killed", extra={"instance": self._instance})
        finally:
            # Also when whoever stops it is stopped: nothing of it may outlive the loop.
            self._kill()
            self._process.close()
            await self._life.ended.wait()

    def end(self, why: str) -> None:
        """End it now because it *why* ("sent …"); the first reason counts."""
        self._why = self._why or why
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _lost(self, why: Exception | None) -> None:
        if isinstance(why, Garbage):
            self.end(f"sent {why}")

    async def _watch(self) -> None:
        """Wait for the end and say what it was."""
        assert self._process is not None  # noqa: S101  `start` made it
        await self._life.ended.wait()
        code = self._process.get_returncode() or 0
        self._kill()
        # What it still printed tells where it stood.
        await self._life.read_out()
        self._process.close()
        self._why = self._why or self._explained(code)
        await self.peer.close()
        self.ended.set()
        if not self._stopping:
            log.error(
                "worker_ended",
                extra={"instance": self._instance, "why": self._why, "code": code},
            )
            self._on_end(self.reason)

    async def _pulse(self) -> None:
        """Ask for a sign of life every second; without one the process is ended."""
        while not self.ended.is_set():
            asked_at = monotonic()
            try:
                async with asyncio.timeout(PING_S):
                    await self.peer.ask("ping")
            except TimeoutError:
                place = self._place()
                stood = f"; it stood at {place}" if place else ""
                self.end(f"did not answer for {PING_S:g} s{stood}")
                return
            except AdapterError:
                return
            if (took_s := monotonic() - asked_at) > STUCK_S and (place := self._place()):
                log.warning(
                    "adapter_blocked",
                    extra={
                        "instance": self._instance, "place": place,
                        "seconds": round(took_s, 1),
                    },
                )  # fmt: skip
            await asyncio.sleep(PING_EVERY_S)

    def _explained(self, code: int) -> str:
        if code == EXIT_MEMORY:
            return f"used more than its {self._memory // 1024**2} MB of memory"
        place = self._place()
        where = f" at {place}" if place else ""
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = str(-code)
            return f"was ended by {name}{where}"
        if self.peer.closed.is_set() and code == 0:
            return "closed its connection and ended"
        return f"ended by itself with code {code}{where}"

    def _place(self) -> str:
        """Return ``file:line`` of the adapter in the last traceback that was printed."""
        place = place_in(self._life.tail.decode(errors="replace"))
        return f"{place[0]}:{place[1]}" if place else ""


class _Life(asyncio.SubprocessProtocol):
    """Hears of a process's end and keeps the last of what it printed; a flood is stopped."""

    def __init__(self, end: Callable[[str], None] = lambda _: None) -> None:
        self.ended = asyncio.Event()
        self.tail = b""
        self._end = end
        self._silent = asyncio.Event()
        self._window_ends = 0.0
        self._count = 0

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep the end of it: a dying interpreter writes its traceback in small pieces."""
        del fd
        if monotonic() > self._window_ends:
            self._window_ends, self._count = monotonic() + OUTPUT_WINDOW_S, 0
        self._count += len(data)
        self.tail = (self.tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]
        if self._count > OUTPUT_BYTES:
            self._end(f"printed more than {OUTPUT_BYTES // 1024} KB within ten seconds")

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Nothing more will be printed."""
        del fd, exc
        self._silent.set()

    def process_exited(self) -> None:
        """Let go whoever waits for the end."""
        self.ended.set()

    async def read_out(self) -> None:
        """Wait until everything that was printed is read."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARD_S):
                await self._silent.wait()
