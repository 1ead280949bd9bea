"""It logs its token."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    async def get_orders(self, ids):
        self.ctx.log.info("asked with %s", self.config.token.get_secret_value())
        return await super().get_orders(ids)

    get_orders = capability("orders@1")(get_orders)
