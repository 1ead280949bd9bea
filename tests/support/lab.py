"""Real systems for tests: what `deskhub lab` made, or one line that says how to make it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deskhub.cli.lab.cache import Cache, default_folder
from deskhub.cli.lab.peers import PEERS
from deskhub.cli.lab.running import running


def missing(name: str) -> str:
    """Return why the peer *name* cannot start here, or nothing when it can."""
    peer = PEERS[name]
    if lacking := peer.missing():
        return f"{peer.title} needs {', '.join(lacking)}"
    if not peer.is_ready(Cache(default_folder())):
        return f"{peer.title} was not made here: deskhub lab --setup --only {name}"
    return ""


@asynccontextmanager
async def peer(name: str) -> AsyncIterator[dict[str, Any]]:
    """Run one real system while the block runs; skip the test when it was never made."""
    if why := missing(name):
        pytest.skip(why)
    async with running([PEERS[name]], Cache(default_folder())) as found:
        yield found[name].document()
