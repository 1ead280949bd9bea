"""When a token ends, read from a token that was already verified."""

from __future__ import annotations

import base64
import binascii
import json


def expires_at(token: str) -> float | None:
    """Return the ``exp`` of a JWT in seconds since 1970; None for an opaque token.

    This verifies nothing: whoever calls it has authenticated the same token before.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, binascii.Error):
        return None
    moment = claims.get("exp") if isinstance(claims, dict) else None
    return float(moment) if isinstance(moment, int | float) else None
