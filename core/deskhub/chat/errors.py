"""What a chat command can be refused for, beyond the common errors."""

from __future__ import annotations

from deskhub.errors import HubError


class TextEmpty(HubError):
    """A message or note without anything in it."""

    code = "text_empty"
    status = 422
    retry = "never"
    text = "There is nothing to send."


class TextTooLong(HubError):
    """A message or note over 16 KiB."""

    code = "text_too_long"
    status = 413
    retry = "never"
    text = "This message is too long. The limit is 16 KiB."


class FileUnknown(HubError):
    """A message names a file that its sender did not upload, or that is part of another one."""

    code = "file_unknown"
    status = 422
    retry = "never"
    text = "A file of this message is not here any more. Attach it again."


class NotRateable(HubError):
    """A rating of a conversation that goes on, was rated, or was closed a week ago."""

    code = "not_rateable"
    status = 409
    retry = "never"
    text = "This conversation cannot be rated now."


class AlreadyAssigned(HubError):
    """Somebody else took the conversation first."""

    code = "already_assigned"
    status = 409
    retry = "never"
    text = "Somebody else has already taken this conversation."
