"""``deskhub chaos``: the promise of the messages, proven on an operator's own machine."""

from deskhub.cli.chaos.command import chaos

__all__ = ["chaos"]
