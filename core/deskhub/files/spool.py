"""An upload on its way in: to a file of its own, never into memory, within size and time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from deskhub.files.errors import FilesDown, FileTooLarge, UploadTooSlow
from deskhub.files.sniff import HEAD_BYTES, TAIL_BYTES

WITHIN_S = 300.0
STALLED_S = 20.0
# What is collected before the disk is asked.
WRITE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Spooled:
    """What arrived: its length, and both ends of it."""

    size: int
    head: bytes
    tail: bytes


async def spool(
    chunks: AsyncIterator[bytes], to: Path, *, limit: int, announced: int | None
) -> Spooled:
    """Write *chunks* to the new file *to*.

    Raises `FileTooLarge` as soon as more than *limit* bytes are announced or have come,
    `UploadTooSlow` when nothing comes for 20 s or not everything within five minutes, and
    `FilesDown` when the disk refuses.
    """
    if announced is not None and announced > limit:
        raise FileTooLarge(f"{announced} bytes announced")
    size = 0
    try:
        async with asyncio.timeout(WITHIN_S):
            with to.open("xb", buffering=0) as file:
                os.chmod(to, 0o600)
                waiting = bytearray()
                async for chunk in _lively(chunks):
                    size += len(chunk)
                    if size > limit:
                        raise FileTooLarge(f"more than {limit} bytes")
                    waiting += chunk
                    if len(waiting) >= WRITE_BYTES:
                        await asyncio.to_thread(file.write, bytes(waiting))
                        waiting.clear()
                await asyncio.to_thread(file.write, bytes(waiting))
    except TimeoutError as error:
        raise UploadTooSlow(f"{size} bytes came") from error
    except OSError as error:
        raise FilesDown(type(error).__name__, after_ms=5_000) from error
    head, tail = await asyncio.to_thread(_ends, to, size)
    return Spooled(size, head, tail)


async def _lively(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield *chunks* as long as they keep coming. Raises `TimeoutError`."""
    while True:
        try:
            async with asyncio.timeout(STALLED_S):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        yield chunk


def _ends(path: Path, size: int) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, size - TAIL_BYTES))
        return head, file.read(TAIL_BYTES)
