"""What reaches people who are not there: mail to customers, notices to browsers."""

from deskhub.notify.mail import Mail
from deskhub.notify.push import Push

__all__ = ["Mail", "Push"]
