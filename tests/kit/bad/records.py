"""It reads a clock without a zone."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    def today(self):
        return datetime.now()
