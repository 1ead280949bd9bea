"""A refused token is refused for ever."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import AuthRequired


class Bad(Good):
    """Good, but for one thing."""

    async def start(self, ctx):
        await super().start(ctx)
        self.out = False

    async def check_connection(self):
        if self.out:
            return Health(ok=False, text="signed out")
        try:
            return await super().check_connection()
        except AuthRequired:
            self.out = True
            raise
