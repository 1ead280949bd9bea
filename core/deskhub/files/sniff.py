"""What a file really is, by its bytes: an allow list, because a name and a type are claims.

Own table instead of a library: those answer with their best guess for anything, where here
everything unknown is refused, and a page or a program is refused however it is dressed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from deskhub.files.errors import FileEmpty, FileTypeRefused

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 66 * 1024  # The end record of a ZIP with the longest comment.


@dataclass(frozen=True, slots=True)
class Kind:
    """A media type; *is_picture* says that it is re-encoded and shown."""

    media: str
    is_picture: bool = False


_PICTURES = (
    (re.compile(rb"\xff\xd8\xff"), Kind("image/jpeg", is_picture=True)),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), Kind("image/png", is_picture=True)),
    (re.compile(rb"GIF8[79]a"), Kind("image/gif", is_picture=True)),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), Kind("image/webp", is_picture=True)),
)
_OTHERS = (
    (re.compile(rb"%PDF-1\.|%PDF-2\."), Kind("application/pdf")),
    (re.compile(rb"PK\x03\x04"), Kind("application/zip")),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Kind("application/x-ole-storage")),
    (re.compile(rb"....ftyp(heic|heix|mif1|avif)", re.DOTALL), Kind("image/heif")),
    (re.compile(rb"....ftyp", re.DOTALL), Kind("video/mp4")),
    (re.compile(rb"\x1aE\xdf\xa3"), Kind("video/webm")),
    (re.compile(rb"OggS"), Kind("audio/ogg")),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), Kind("audio/wav")),
    (re.compile(rb"ID3|\xff[\xfb\xf3\xf2]"), Kind("audio/mpeg")),
)
_TEXT = Kind("text/plain")

# What a browser would run if it could be talked into it. In a picture or a PDF these words
# stand for a second file inside the first.
_MARKUP = re.compile(
    rb"<(?:!doctype|html|head|body|script|svg|iframe|object|\?xml|\?php)[\s>/]", re.IGNORECASE
)
_PROGRAM = re.compile(rb"#!|MZ|\x7fELF|\xca\xfe\xba\xbe|\xfe\xed\xfa|[\xce\xcf]\xfa\xed\xfe")
_ZIP_END = b"PK\x05\x06"
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def sniff(head: bytes, tail: bytes) -> Kind:
    """Return what a file is that begins with *head* and ends with *tail*.

    Give it the first `HEAD_BYTES` and the last `TAIL_BYTES`. Raises `FileEmpty` and
    `FileTypeRefused`.
    """
    if not head:
        raise FileEmpty
    for pattern, kind in _PICTURES:
        if pattern.match(head):
            _only_one(kind, head, tail)
            return kind
    for pattern, kind in _OTHERS:
        if pattern.match(head):
            if kind.media == "application/pdf":
                _only_one(kind, head, tail)
            return kind
    if not _PROGRAM.match(head) and not _is_markup(head) and _is_text(head, tail):
        return _TEXT
    raise FileTypeRefused("unknown content")


def _only_one(kind: Kind, head: bytes, tail: bytes) -> None:
    """Refuse a file that is *kind* and something else too."""
    if _MARKUP.search(head) or _MARKUP.search(tail):
        raise FileTypeRefused(f"{kind.media} with markup inside")
    at = tail.rfind(_ZIP_END)
    # Four bytes may come by chance; that they say how far it is to the end does not.
    if at >= 0 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
        raise FileTypeRefused(f"{kind.media} that ends as a ZIP archive")
    if kind.is_picture and b"%PDF-" in head[:1024]:
        raise FileTypeRefused(f"{kind.media} that begins as a PDF")


def _is_markup(head: bytes) -> bool:
    """Return whether a program may take this text for a document that can do things."""
    if b"%PDF-" in head[:1024]:
        return True
    return bool(_MARKUP.search(head)) or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _is_text(head: bytes, tail: bytes) -> bool:
    """Return whether it reads as UTF-8 or as Chinese text of older programs."""
    if _CONTROLS.search(head) or _CONTROLS.search(tail):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            # The head may end inside a character.
            head[: len(head) - 4 if len(head) == HEAD_BYTES else None].decode(encoding)
        except UnicodeDecodeError as error:
            if len(head) == HEAD_BYTES and error.start >= len(head) - 8:
                return True
        else:
            return True
    return False
