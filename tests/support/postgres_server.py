"""A PostgreSQL server of a test's own, that can be killed, stopped and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.databases import answers


def binaries() -> Path | None:
    """Return the folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    program = shutil.which("postgres")
    return Path(program).parent if program else None


@dataclass
class PostgresServer:
    """One server on one port; its files outlive its processes."""

    folder: Path
    bin: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://deskhub@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "deskhub", "-A", "trust")

    def start(self) -> None:
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"),
            "-o", settings, "start",
        )  # fmt: skip

    def stop(self, how: str = "immediate") -> None:
        """Stop it: ``fast`` as an operator does, ``immediate`` like a crash."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "-w", "stop")

    def signal(self, number: signal.Signals) -> None:
        """Send *number* to every process of the server."""
        first = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), *arguments]
        if os.geteuid() == 0:
            # The server refuses to run as root.
            command = [
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                *command,
            ]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.folder, timeout=60,
        )  # fmt: skip


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server until the block ends."""
    found = binaries()
    if found is None:
        why = "no PostgreSQL server here (apt-get install postgresql)"
        if os.environ.get("DESKHUB_CI") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="deskhub-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    server = PostgresServer(folder, found, port)
    try:
        server.create()
        server.start()
        end = time.monotonic() + 20
        while not answers(server.url) and time.monotonic() < end:
            time.sleep(0.05)
        yield server
    finally:
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            server.signal(signal.SIGCONT)
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
