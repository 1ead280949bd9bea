"""It is never well."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    async def check_connection(self):
        await super().check_connection()
        return Health(ok=False, text="never")
