"""Run one command and let it live no longer than the process that asked for it.

Started by its path, with nothing but the standard library:
``leash.py PARENT [--remove FOLDER] -- COMMAND …``. It ends the command's whole group on
SIGTERM, SIGINT, and when its parent is gone, however that happened; then it removes FOLDER.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
LOOK_S = 0.5
GRACE_S = 5.0


class _Stopped(Exception):
    """Somebody wants the command to end."""


def main(argv: list[str]) -> int:
    """Return the command's exit code, or 0 when it was ended on purpose."""
    at = argv.index("--")
    options, command = argv[:at], argv[at + 1 :]
    parent = int(options[0])
    folder = Path(options[2]) if options[1:2] == ["--remove"] else None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    _follow(signal.SIGTERM)
    child: subprocess.Popen[bytes] | None = None
    try:
        if os.getppid() != parent:
            return 0
        # What is run was chosen by the lab; and it goes even if this process is killed.
        child = subprocess.Popen(  # noqa: S603
            command,
            start_new_session=True,
            preexec_fn=_follow,  # noqa: PLW1509
        )
        return _watch(child, parent)
    except _Stopped:
        return 0
    finally:
        _ignore_signals()
        if child is not None:
            _end(child)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _watch(child: subprocess.Popen[bytes], parent: int) -> int:
    """Wait for the command, or for the parent to be another."""
    while os.getppid() == parent:
        try:
            return child.wait(timeout=LOOK_S)
        except subprocess.TimeoutExpired:
            continue
    raise _Stopped


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the command's group to end; kill what does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            break
        ends = time.monotonic() + GRACE_S
        while number == signal.SIGTERM and child.poll() is None and time.monotonic() < ends:
            time.sleep(0.05)
    child.wait()


def _follow(number: int = signal.SIGKILL) -> None:
    """Ask Linux for a signal at the parent's death; elsewhere `_watch` has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stopped


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
