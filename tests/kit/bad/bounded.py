"""It lists everything there is."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    @capability("orders@1")
    async def orders_of(self, subjects):
        found = await super().orders_of(subjects)
        return {one: [*ids, *(f"{n}" for n in range(60))] for one, ids in found.items()}
