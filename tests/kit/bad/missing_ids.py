"""One unknown id spoils the rest."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import NotFound


class Bad(Good):
    """Good, but for one thing."""

    @capability("orders@1")
    async def get_orders(self, ids):
        found = await super().get_orders(ids)
        if len(found) < len(ids):
            raise NotFound("one is missing")
        return found
