"""Conversations by mail: IMAP in, SMTP out."""

from deskhub_channel_mail.adapter import ChannelMail

__all__ = ["ChannelMail"]
