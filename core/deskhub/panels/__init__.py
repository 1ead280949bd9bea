"""What business systems show beside a conversation, as panels of cards."""

from deskhub.panels.panels import Panels

__all__ = ["Panels"]
