"""It hides that nobody lets it in."""
# ruff: noqa: F403, F405, I001

from base import *
from deskhub_sdk import AuthRequired


class Bad(Good):
    """Good, but for one thing."""

    async def check_connection(self):
        try:
            return await super().check_connection()
        except AuthRequired:
            return Health(ok=True)
