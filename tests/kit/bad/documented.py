"""Its class says nothing."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    __doc__ = ""
