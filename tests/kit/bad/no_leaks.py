"""Each start leaves a thread."""
# ruff: noqa: F403, F405, I001

from base import *
import threading


class Bad(Good):
    """Good, but for one thing."""

    async def start(self, ctx):
        await super().start(ctx)
        threading.Thread(target=threading.Event().wait, daemon=True).start()
