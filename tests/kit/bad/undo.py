"""Undoing does nothing."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    async def send(self, method, path, key):
        return {} if "undo" in path else await super().send(method, path, key)
