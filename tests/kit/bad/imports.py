"""It brings its own network client."""
# ruff: noqa: F403, F405, I001

from base import *
import socket


class Bad(Good):
    """Good, but for one thing."""

    host = socket.gethostname()
