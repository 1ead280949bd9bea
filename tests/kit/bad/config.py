"""A setting is not described."""
# ruff: noqa: F403, F405

from base import *


class Undescribed(GoodConfig):
    page: int = 50


class Bad(Good):
    """Good, but for one thing."""

    config_model = Undescribed
