"""One call for each id."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    async def get_orders(self, ids):
        found = {}
        for one in ids:
            found |= await self.read_orders([one])
        return found

    get_orders = capability("orders@1")(get_orders)
