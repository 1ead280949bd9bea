"""What is slow to make is made once: environments and seeded databases in a cache folder.

A part is named after what it is made of, so that another release of a peer, or another seed,
is another part. One that was not finished is made anew.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

READY = ".ready"
STEP_S = 900.0
LOCK_S = 1800.0
LAST_LINES = 12


class LabFailed(Exception):
    """A part of the lab could not be made or started; *lines* is the end of what it said."""

    def __init__(self, what: str, lines: Sequence[str] = ()) -> None:
        """Say *what* failed."""
        super().__init__(what)
        self.lines = tuple(lines)


def resource(name: str) -> Path:
    """Return the path of one of the lab's own *files*."""
    return Path(str(files("deskhub.cli.lab").joinpath("files", name)))


def default_folder() -> Path:
    """Return where parts are kept: DESKHUB_LAB, else the user's cache."""
    own = os.environ.get("DESKHUB_LAB")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(own).expanduser() if own else Path(base).expanduser() / "deskhub" / "lab"


class Cache:
    """Parts by name and by what they are made of."""

    def __init__(self, folder: Path) -> None:
        """Keep parts in *folder*."""
        self.folder = folder

    def place(self, name: str, *made_of: str) -> Path:
        """Return the folder of the part *name* for these ingredients."""
        digest = hashlib.sha256("\0".join([sys.version, *made_of]).encode()).hexdigest()
        return self.folder / f"{name}-{digest[:12]}"

    def has(self, place: Path) -> bool:
        """Return whether the part at *place* was finished."""
        return (place / READY).is_file()

    async def part(self, place: Path, make: Callable[[Path], Awaitable[None]]) -> Path:
        """Return *place* with what *make* puts there; only one process makes it."""
        if self.has(place):
            return place
        self.folder.mkdir(parents=True, exist_ok=True)
        async with _locked(self.folder / f"{place.name}.lock"):
            if not self.has(place):
                shutil.rmtree(place, ignore_errors=True)
                await asyncio.to_thread(place.mkdir)
                await make(place)
                await asyncio.to_thread((place / READY).touch)
        return place


async def run(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    given: bytes = b"",
    deadline_s: float = STEP_S,
) -> None:
    """Run *command* to its end. Raises `LabFailed` with its last lines when it fails."""
    words = [str(one) for one in command]
    process = await asyncio.create_subprocess_exec(
        *words, cwd=cwd, env={**os.environ, **(env or {})}, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = b""
    try:
        async with asyncio.timeout(deadline_s):
            said, _ = await process.communicate(given)
    except TimeoutError:
        raise LabFailed(f"{Path(words[0]).name} took over {deadline_s:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode(errors="replace").splitlines()[-LAST_LINES:]
        raise LabFailed(f"{Path(words[0]).name} ended with {process.returncode}", lines)


async def python_environment(place: Path, requirements: Path) -> None:
    """Make a Python environment at *place* with exactly what the hashes of the file say."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    python = place / "venv/bin/python"
    locked = ["--quiet", "--require-hashes", "-r", str(requirements)]
    if uv:
        await run(uv, "venv", "--quiet", "--python", sys.executable, place / "venv")
        await run(uv, "pip", "install", "--python", python, *locked)
        return
    await run(sys.executable, "-m", "venv", place / "venv")
    await run(python, "-m", "pip", "install", "--disable-pip-version-check", *locked)


@asynccontextmanager
async def _locked(file: Path) -> AsyncIterator[None]:
    """Hold *file* against other processes. Raises `LabFailed` after half an hour."""
    with file.open("w") as handle:
        try:
            async with asyncio.timeout(LOCK_S):
                # The kernel wakes nobody who only asks.
                while not _taken(handle.fileno()):  # noqa: ASYNC110
                    await asyncio.sleep(0.5)
        except TimeoutError:
            raise LabFailed(f"another lab holds {file} for half an hour") from None
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
