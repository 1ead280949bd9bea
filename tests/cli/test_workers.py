"""`deskhub serve --workers`: several processes on one port, started again when they die."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import databases

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def started(folder: Path, store: str) -> tuple[subprocess.Popen[str], int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "hub.toml").write_text(
        f'[hub]\nlisten = "127.0.0.1:{port}"\nstore = "{store}"\n[inboxes.web]\nkey = "k"\n'
    )
    with (folder / "hub.log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deskhub", "serve", "--workers", "2"],
            cwd=folder, stdout=output, stderr=output, text=True,
        )  # fmt: skip
    return process, port


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return sorted(int(one) for one in text.split())


def test_on_a_file_several_workers_are_refused(tmp_path: Path) -> None:
    process, _ = started(tmp_path, "sqlite:///hub.db")

    assert process.wait(30) == 3
    assert "DH116" in (tmp_path / "hub.log").read_text()


def test_workers_share_a_port_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    with databases.postgres() as url:
        process, port = started(tmp_path, url)
        log = tmp_path / "hub.log"
        try:
            until(lambda: log.read_text().count("listens on") == 2)
            first = children(process.pid)
            os.kill(first[0], signal.SIGKILL)
            until(lambda: log.read_text().count("listens on") == 3)
            second = children(process.pid)
            with socket.create_connection(("127.0.0.1", port), 5):
                pass
        finally:
            process.terminate()
            code = process.wait(40)

    assert code == 0, log.read_text()[-2_000:]
    assert len(first) == len(second) == 2
    assert len({*first, *second}) == 3


def test_workers_end_with_whoever_started_them(tmp_path: Path) -> None:
    with databases.postgres() as url:
        process, _ = started(tmp_path, url)
        log = tmp_path / "hub.log"
        until(lambda: log.read_text().count("listens on") == 2)
        workers = children(process.pid)
        process.kill()
        process.wait(10)

        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 40)
