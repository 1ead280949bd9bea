"""It sleeps in the loop."""
# ruff: noqa: F403, F405, I001

from base import *
import time


class Bad(Good):
    """Good, but for one thing."""

    async def read(self, *arguments):
        time.sleep(0.001)
        return await super().read(*arguments)
