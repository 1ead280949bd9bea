"""Its stop frees what the next one works with."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import Unavailable

OPEN = []


class Bad(Good):
    """Good, but for one thing."""

    async def start(self, ctx):
        await super().start(ctx)
        OPEN.append(self)

    async def stop(self):
        OPEN.clear()

    async def read(self, *arguments):
        if not OPEN:
            raise Unavailable("the connection is closed")
        return await super().read(*arguments)
