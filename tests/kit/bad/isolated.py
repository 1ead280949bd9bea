"""Instances share what one learned."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import Unavailable

TROUBLE = []


class Bad(Good):
    """Good, but for one thing."""

    async def start(self, ctx):
        await super().start(ctx)
        TROUBLE.clear()

    async def read(self, *arguments):
        if TROUBLE and TROUBLE[0] is not self:
            raise Unavailable("somebody had trouble")
        try:
            return await super().read(*arguments)
        except Unavailable:
            TROUBLE.append(self)
            raise
