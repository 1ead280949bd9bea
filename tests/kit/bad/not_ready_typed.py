"""It raises what no contract knows when nobody is there."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import Unavailable


class Bad(Good):
    """Good, but for one thing."""

    async def start(self, ctx):
        await super().start(ctx)
        try:
            await self.read("/account")
        except Unavailable as error:
            raise RuntimeError("nobody there") from error
