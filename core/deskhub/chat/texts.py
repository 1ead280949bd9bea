"""Which texts may be stored, whatever they are a part of."""

from __future__ import annotations

from deskhub.chat.errors import TextEmpty, TextTooLong
from deskhub.chat.model import TEXT_BYTES
from deskhub.errors import Invalid


def checked_text(text: str) -> str:
    """Return *text* when it may be stored. Raises `TextEmpty`, `TextTooLong`, `Invalid`."""
    if not text.strip():
        raise TextEmpty
    if len(text) > TEXT_BYTES:
        raise TextTooLong
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise Invalid("text is not valid Unicode") from error
    if size > TEXT_BYTES:
        raise TextTooLong
    if "\x00" in text:
        raise Invalid("text holds a NUL character")
    return text
