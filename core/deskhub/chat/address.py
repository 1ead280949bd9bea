"""Which text is an e-mail address: one rule for forms, for mail and for who is written to."""

from __future__ import annotations

import re

# Narrower than the RFC: no quotes, no comments, no literals, nothing that a header or a command
# of SMTP could mean something by.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}")
LOCAL_MAX = 64
CHARS_MAX = 254


def is_address(text: str) -> bool:
    """Return whether *text* is an address, without a space around it."""
    local, at, domain = text.rpartition("@")
    if not at or len(local) > LOCAL_MAX or len(local) + len(domain) >= CHARS_MAX:
        return False
    return bool(_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain))
