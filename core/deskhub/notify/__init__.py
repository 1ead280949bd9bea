"""What reaches customers who are not there: answers and transcripts by mail."""

from deskhub.notify.mail import Mail

__all__ = ["Mail"]
