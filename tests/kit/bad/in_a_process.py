"""It reads what only the hub's process may."""
# ruff: noqa: F403, F405, I001

from base import *
from pathlib import Path


class Bad(Good):
    """Good, but for one thing."""

    async def check_connection(self):
        _ = Path("/etc/hostname").read_text()
        return await super().check_connection()
