"""Once broken, always broken."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import Unavailable


class Bad(Good):
    """Good, but for one thing."""

    async def start(self, ctx):
        await super().start(ctx)
        self.broken = False

    async def read(self, *arguments):
        if self.broken:
            raise Unavailable("it was broken before")
        try:
            return await super().read(*arguments)
        except Unavailable:
            self.broken = True
            raise
