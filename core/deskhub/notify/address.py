"""E-mail addresses: which are taken, and how one is shown to somebody who may only guess it."""

from __future__ import annotations

from deskhub.chat.address import is_address
from deskhub.notify.errors import MailAddressRefused


def checked(text: str) -> str:
    """Return *text* as an address, its domain in small letters. Raises `MailAddressRefused`."""
    address = text.strip(" ")
    if not is_address(address):
        raise MailAddressRefused("shape")
    local, _, domain = address.rpartition("@")
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
