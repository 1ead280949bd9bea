"""An update asks for a setting that nobody has."""
# ruff: noqa: F403, F405

from base import *


class More(GoodConfig):
    account: str = Field(default=..., description="New in this release.")


class Bad(Good):
    """Good, but for one thing."""

    config_model = More
