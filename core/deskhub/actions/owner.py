"""The name under which this process holds runs; the same after a restart, where that is safe.

A lease protects against two workers. After a crash it would also make the very next process
wait for nobody. A lock that the kernel gives back when its holder dies tells the two apart.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from deskhub.ids import new_id

FILE = "worker.lock"


class Owner:
    """Holds the lock of a data folder for as long as it lives, or nothing."""

    def __init__(self, data_dir: Path | None) -> None:
        """Take the folder's lock; without one, or while another process has it, be nobody."""
        self.name = new_id("w")
        self._file: int | None = None
        if data_dir is None:
            return
        file = os.open(data_dir / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return
        self._file = file
        known = os.pread(file, 80, 0).decode("ascii", "replace").strip()
        if known:
            self.name = known
        else:
            os.pwrite(file, self.name.encode(), 0)

    def close(self) -> None:
        """Give the lock back; the end of the process does it too."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
