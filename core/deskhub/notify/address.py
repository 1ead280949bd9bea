"""E-mail addresses: which are taken, and how one is shown to somebody who may only guess it."""

from __future__ import annotations

import re

from deskhub.notify.errors import MailAddressRefused

# Narrower than the RFC: no quotes, no comments, no literals, nothing that a header or a command
# of SMTP could mean something by.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}")
LOCAL_MAX = 64
CHARS_MAX = 254


def checked(text: str) -> str:
    """Return *text* as an address, its domain in small letters. Raises `MailAddressRefused`."""
    local, at, domain = text.strip(" ").rpartition("@")
    if not at or len(local) > LOCAL_MAX or len(local) + len(domain) >= CHARS_MAX:
        raise MailAddressRefused("shape")
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise MailAddressRefused("characters")
    return f"{local}@{domain.lower()}"


def checked_or_none(text: str | None) -> str | None:
    """Return *text* as an address, or None when it is none: others' records hold anything."""
    try:
        return checked(text or "")
    except MailAddressRefused:
        return None


def masked(address: str) -> str:
    """Return *address* so that its owner knows it again: ``l…@example.com``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
