"""It has nothing to say."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    @hookimpl
    async def diagnostics(self):
        return {}
