"""It asks a hook for what is not offered."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    @hookimpl
    async def conversation_cards(self, visitor):
        return ()
