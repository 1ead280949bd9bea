"""A process that begins to erase a customer and dies on the way, without cleaning up.

``python -m tests.privacy.dies URL FOLDER PLACE`` prints the customer's id before it dies.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.privacy.conftest import ADMIN, NAME, Home, everywhere, home_at

PLACES = ("begin", "conversation", "files", "written")


async def main(url: str, folder: Path, place: str) -> None:
    async with home_at(url, folder) as home:
        customer, _ = await everywhere(home)
        print(customer, flush=True)
        _let_die(home, place)
        await home.eraser.erase(ADMIN, customer, NAME)


def _let_die(home: Home, place: str) -> None:
    """Let the process end as by SIGKILL when the erasure comes to *place*."""
    owner, name = {
        "begin": (home.eraser, "_finish"),
        "conversation": (home.eraser, "_drop_files"),
        "files": (home.files, "_drop"),
        "written": (home.store, "scrub"),
    }[place]

    async def die(*_: object, **__: object) -> None:
        os._exit(137)

    setattr(owner, name, die)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
