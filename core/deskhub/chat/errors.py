"""What a chat command can be refused for, beyond the common errors."""

from __future__ import annotations

from deskhub.errors import HubError, Invalid


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
    """A rating of what goes on, was rated, or closed a week ago, or where none is asked for."""

    code = "not_rateable"
    status = 409
    retry = "never"
    text = "This conversation cannot be rated now."


class NotEditable(HubError):
    """An edit of what is another's, is not its author's last one, or was said too long ago."""

    code = "not_editable"
    status = 409
    retry = "never"
    text = "This message cannot be edited any more."


class EditConflict(HubError):
    """The message was edited in another window after the sender looked at it."""

    code = "edit_conflict"
    status = 409
    retry = "never"
    text = "This message was edited elsewhere meanwhile. Look at it again."


class AlreadyAssigned(HubError):
    """Somebody else took the conversation first."""

    code = "already_assigned"
    status = 409
    retry = "never"
    text = "Somebody else has already taken this conversation."


class FormInvalid(Invalid):
    """A form for customers that is none; the fields name every mistake."""

    code = "form_invalid"
    text = "This form cannot be used. Each mistake is named with its place."


class PrechatNeeded(HubError):
    """A first message before the inbox's form was filled in, or wrong answers to it."""

    code = "prechat_needed"
    status = 422
    retry = "never"
    text = "Please fill in the form before you write."
