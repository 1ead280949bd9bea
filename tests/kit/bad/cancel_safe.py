"""A cancelled question keeps the lock."""
# ruff: noqa: F403, F405

from base import *

from deskhub_sdk import Unavailable


class Bad(Good):
    """Good, but for one thing."""

    async def start(self, ctx):
        await super().start(ctx)
        self.busy = False

    async def get_orders(self, ids):
        if self.busy:
            raise Unavailable("busy for ever")
        self.busy = True
        found = await super().get_orders(ids)
        self.busy = False
        return found

    get_orders = capability("orders@1")(get_orders)
