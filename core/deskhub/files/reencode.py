"""Pictures are written anew in a process of their own, two at a time, within its limits."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from deskhub.errors import Busy
from deskhub.files.errors import PictureDamaged, PictureTooCostly, PictureTooLarge

AT_ONCE = 2
WAITING_MAX = 16
# Five seconds of processor time are the limit; on a busy machine they take longer.
WITHIN_S = 20.0
_TOLD_BYTES = 4096
_REFUSED = {one.code: one for one in (PictureDamaged, PictureTooCostly, PictureTooLarge)}


@dataclass(frozen=True, slots=True)
class Picture:
    """The sizes of what was written, in pixels: known before it is loaded."""

    width: int
    height: int
    thumb_width: int
    thumb_height: int


class Reencoder:
    """Starts the picture program and believes nothing but its sizes."""

    def __init__(self, program: Sequence[str] = ("-m", "deskhub.files.picture")) -> None:
        """Run *program*, as Python's arguments."""
        self._program = program
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def reencode(self, source: Path, image: Path, thumb: Path) -> Picture:
        """Write the picture in *source* as WebP to *image*, and a small one to *thumb*.

        Raises `PictureDamaged`, `PictureTooLarge`, `PictureTooCostly` and `Busy`.
        """
        if self._waiting >= WAITING_MAX:
            raise Busy(f"{self._waiting} pictures wait", after_ms=2_000)
        self._waiting += 1
        try:
            async with self._slots:
                return await self._run(source, image, thumb)
        finally:
            self._waiting -= 1

    async def _run(self, source: Path, image: Path, thumb: Path) -> Picture:
        handles = [os.open(source, os.O_RDONLY | os.O_CLOEXEC)]
        try:
            made = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            handles += [os.open(path, made, 0o600) for path in (image, thumb)]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", *self._program,
                str(os.getpid()), str(handles[1]), str(handles[2]),
                stdin=handles[0], stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, pass_fds=handles[1:],
                env={"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}, cwd="/",
                start_new_session=True, limit=_TOLD_BYTES,
            )  # fmt: skip
        finally:
            for handle in handles:
                os.close(handle)
        return _understood(await _told(process))


async def _told(process: asyncio.subprocess.Process) -> bytes:
    """Return what the program printed; whatever happens, it is gone afterwards."""
    assert process.stdout is not None  # noqa: S101  asked for above
    try:
        async with asyncio.timeout(WITHIN_S):
            told = await process.stdout.read(_TOLD_BYTES)
            while more := await process.stdout.read(_TOLD_BYTES):
                told = (told + more)[:_TOLD_BYTES]
            await process.wait()
    except TimeoutError:
        return b""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return told if process.returncode == 0 else b""


def _understood(told: bytes) -> Picture:
    try:
        answer = msgspec.json.decode(told)
        if "refused" in answer:
            raise _REFUSED[answer["refused"]](str(answer.get("why", "")))
        return msgspec.convert(answer, Picture)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        # It was ended by its limits before it could say anything.
        raise PictureTooCostly("the picture program was ended") from error
