"""It tries again and again."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import AdapterError


class Bad(Good):
    """Good, but for one thing."""

    async def read(self, *arguments):
        for _ in range(100):
            try:
                return await super().read(*arguments)
            except AdapterError as error:
                last = error
        raise last
