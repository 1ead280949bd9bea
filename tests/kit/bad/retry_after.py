"""It hammers a system that asks for a pause."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import Throttled


class Bad(Good):
    """Good, but for one thing."""

    async def read(self, *arguments):
        for _ in range(9):
            try:
                return await super().read(*arguments)
            except Throttled as error:
                last = error
        raise last
