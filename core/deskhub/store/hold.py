"""Who uses a database file: every process that opens it, or one that replaces it.

A lock of the operating system, so that a process that was killed holds nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path


class InUse(Exception):
    """A process works with this database; *path* is the file."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(f"{path} is in use by a running hub")
        self.path = path


class RestoreUnfinished(Exception):
    """A restore was interrupted while it put files in place; *path* is the database."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(f"a restore of {path} was interrupted")
        self.path = path


class Hold:
    """This process's share in a database file; several processes may have one."""

    def __init__(self, path: Path | None) -> None:
        """Take the share. Raises `InUse` while it is replaced and `RestoreUnfinished`."""
        self._handle: int | None = None
        if path is None:
            return
        self._handle = _locked(path, fcntl.LOCK_SH)
        if marker(path).exists():
            self.release()
            raise RestoreUnfinished(path)

    def release(self) -> None:
        """Give the share back."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


@contextlib.contextmanager
def alone(path: Path) -> Generator[None]:
    """Keep everybody else from *path*. Raises `InUse` when somebody works with it."""
    handle = _locked(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def marker(path: Path) -> Path:
    """Return the file that exists while a restore puts a database in place."""
    return path.with_name(f"{path.name}.restoring")


def _locked(path: Path, how: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(
        path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise InUse(path) from error
    return handle
