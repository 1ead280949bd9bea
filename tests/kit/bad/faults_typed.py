"""A broken answer is a ValueError."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import Malformed


class Bad(Good):
    """Good, but for one thing."""

    async def read(self, *arguments):
        try:
            return await super().read(*arguments)
        except Malformed as error:
            raise ValueError("what is this?") from error
