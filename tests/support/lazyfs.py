"""A file system that keeps writes in memory until fsync: SIGKILL it and the power is cut.

``python -m tests.support.lazyfs BACKING MOUNTPOINT``. What was not synced when it dies never
reached BACKING. Creating, renaming and deleting files is durable at once, which is kinder than
a real disk. Needs libfuse and mfusepy.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import mfusepy


@dataclass
class _File:
    data: bytearray
    changed: list[tuple[int, int]] = field(default_factory=list)
    size: int = 0


class LazyFiles(mfusepy.Operations):
    """Files of *root*, whose changes stay here until they are synced."""

    use_ns = True

    def __init__(self, root: str) -> None:
        self._root = root
        self._files: dict[str, _File] = {}
        self._lock = threading.RLock()

    def _real(self, path: str) -> str:
        return self._root + path

    def _file(self, path: str) -> _File:
        with self._lock:
            known = self._files.get(path)
            if known is None:
                with open(self._real(path), "rb") as file:
                    data = bytearray(file.read())
                known = self._files[path] = _File(data, size=len(data))
            return known

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        found = os.lstat(self._real(path))
        told = {
            name: getattr(found, name)
            for name in ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size")
        }
        told |= {f"st_{kind}time": getattr(found, f"st_{kind}time_ns") for kind in "amc"}
        known = self._files.get(path)
        if known is not None:
            told["st_size"] = len(known.data)
        return told

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self._real(path))]

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        os.close(os.open(self._real(path), os.O_CREAT | os.O_RDWR, mode))
        self._files.pop(path, None)
        self._file(path)
        return 1

    def open(self, path: str, flags: int) -> int:
        self._file(path)
        return 1

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._file(path).data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        known = self._file(path)
        with self._lock:
            if len(known.data) < offset:
                known.data.extend(b"\0" * (offset - len(known.data)))
            known.data[offset : offset + len(data)] = data
            known.changed.append((offset, offset + len(data)))
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        known = self._file(path)
        with self._lock:
            before = len(known.data)
            del known.data[length:]
            known.data.extend(b"\0" * (length - len(known.data)))
            known.changed.append((min(before, length), length))

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        known = self._file(path)
        with self._lock:
            with open(self._real(path), "r+b") as file:
                if len(known.data) != known.size:
                    file.truncate(len(known.data))
                    known.size = len(known.data)
                for start, end in known.changed:
                    file.seek(start)
                    file.write(known.data[start:end])
            known.changed.clear()
        return 0

    def flush(self, path: str, fh: int) -> int:
        return 0

    def release(self, path: str, fh: int) -> int:
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        return 0

    def unlink(self, path: str) -> None:
        self._files.pop(path, None)
        os.unlink(self._real(path))

    def rename(self, old: str, new: str, flags: int = 0) -> None:
        os.rename(self._real(old), self._real(new))
        known = self._files.pop(old, None)
        if known is not None:
            self._files[new] = known

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self._real(path), mode)

    def chmod(self, path: str, mode: int, fh: int | None = None) -> None:
        os.chmod(self._real(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        """Keep the owner: there is one user here."""

    def utimens(self, path: str, times: Any = None, fh: int | None = None) -> int:
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {
            "f_bsize": 4096, "f_frsize": 4096, "f_blocks": 10**7, "f_bfree": 10**7,
            "f_bavail": 10**7, "f_files": 10**6, "f_ffree": 10**6, "f_namemax": 255,
        }  # fmt: skip


if __name__ == "__main__":
    mfusepy.FUSE(LazyFiles(sys.argv[1]), sys.argv[2], foreground=True, nothreads=True)
