"""Where the bytes of files lie: a folder, or a bucket. Every key begins with the tenant."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar
from urllib.parse import quote

from deskhub.errors import NotFound
from deskhub.files.errors import FilesDown

P = ParamSpec("P")
T = TypeVar("T")

CHUNK = 256 * 1024


class Blobs(Protocol):
    """Bytes by key."""

    async def put(self, key: str, source: Path) -> None:
        """Keep a copy of *source* for good. Raises `FilesDown`."""
        ...

    async def size(self, key: str) -> int:
        """Return how many bytes there are. Raises `NotFound`, `FilesDown`."""
        ...

    def read(self, key: str) -> AsyncIterator[bytes]:
        """Yield the bytes in pieces. Raises `NotFound`, `FilesDown`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the bytes if they are there. Raises `FilesDown`."""
        ...


def key_of(tenant: str, id_: str, *, thumb: bool = False) -> str:
    """Return the key of a file, or of its small picture; never made of what a client wrote."""
    return f"{quote(tenant, safe='')}/{id_[-2:]}/{id_}{'.thumb' if thumb else ''}"


class FolderBlobs:
    """A folder on this machine, or one that several machines share."""

    def __init__(self, root: Path) -> None:
        """Keep everything below *root*."""
        self._root = root

    async def put(self, key: str, source: Path) -> None:
        """Copy, sync, then give it its name: half a file never has one."""
        await _disk(self._put, key, source)

    async def size(self, key: str) -> int:
        """Return the file's length."""
        return (await _disk(self._path(key).stat)).st_size

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Read piece by piece, off the loop."""
        file = await _disk(self._path(key).open, "rb")
        try:
            while chunk := await _disk(file.read, CHUNK):
                yield chunk
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        """Remove the file."""
        with suppress(NotFound):
            await _disk(self._path(key).unlink)

    def _path(self, key: str) -> Path:
        return self._root / key

    def _put(self, key: str, source: Path) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with source.open("rb") as read, draft.open("wb") as write:
                while chunk := read.read(CHUNK):
                    write.write(chunk)
                write.flush()
                os.fsync(write.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        # The name itself, and those of the folders above, which may be new.
        for folder in (path.parent, path.parent.parent, self._root):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


async def _disk(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run *work* off the loop; a disk that refuses is a `FilesDown`."""
    try:
        return await asyncio.to_thread(work, *arguments, **named)
    except FileNotFoundError as error:
        raise NotFound("the file's bytes") from error
    except OSError as error:
        raise FilesDown(type(error).__name__, after_ms=5_000) from error
