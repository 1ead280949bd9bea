"""The command line as a process of its own, with everything that it starts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Ended:
    code: int
    out: str
    err: str
    cpu_s: float


def in_a_process(*arguments: object, cwd: Path, timeout_s: float = 60) -> Ended:
    """Run ``deskhub …`` to its end; *cpu_s* does not depend on who else uses the machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "deskhub", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ended(done.returncode, done.stdout, done.stderr, used)


@contextmanager
def child(
    *arguments: object, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start ``deskhub …`` in a process group of its own and leave nothing of it behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deskhub", *map(str, arguments)],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def group_of(process: subprocess.Popen[Any]) -> set[int]:
    """Return the processes of *process*'s group that still run."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == process.pid and fields[0] != "Z":
            found.add(int(entry.name))
    return found
