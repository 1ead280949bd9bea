"""It never finds what it did."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    async def read(self, path, *more):
        return {} if path == "/notes" else await super().read(path, *more)
