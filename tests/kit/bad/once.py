"""A new key each time."""
# ruff: noqa: F403, F405, I001

from base import *
import uuid


class Bad(Good):
    """Good, but for one thing."""

    async def send(self, method, path, key):
        return await super().send(method, path, key if "undo" in path else uuid.uuid4().hex)
