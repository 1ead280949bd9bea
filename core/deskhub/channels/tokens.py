"""What a channel puts into its addresses: a conversation's id, signed for one instance.

Only who got an answer of ours can know it. It is small letters and digits, since the local
part of an address may lose its capitals on the way, and has 42 characters of the 64 that one
may have (RFC 5321, 4.5.3.1.1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from deskhub.identity.keys import KeyTable

ID_BYTES, MAC_BYTES = 16, 10
CHARS = 42
PREFIX = "c_"


class Tokens:
    """Makes and reads tokens with the installation's own keys."""

    def __init__(self, keys: KeyTable) -> None:
        """Sign with the current one of *keys*, and believe each of them."""
        self._keys = keys

    def of(self, tenant: str, instance: str, conversation: str) -> str:
        """Return the token of *conversation*; the same until the key changes."""
        id_ = bytes.fromhex(conversation.removeprefix(PREFIX))
        signed = id_ + _mac(self._keys.signing, tenant, instance, id_)
        return base64.b32encode(signed).decode().rstrip("=").lower()

    def read(self, tenant: str, instance: str, token: str) -> str | None:
        """Return the conversation of *token*, or None for anything not exactly ours."""
        if len(token) != CHARS:
            return None
        try:
            signed = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except (ValueError, binascii.Error):
            return None
        id_, mac = signed[:ID_BYTES], signed[ID_BYTES:]
        for secret in self._keys.secrets.values():
            if hmac.compare_digest(mac, _mac(secret, tenant, instance, id_)):
                return f"{PREFIX}{id_.hex()}"
        return None


def _mac(secret: str, tenant: str, instance: str, id_: bytes) -> bytes:
    # A key of its own: no signature for one purpose is one for another.
    key = hmac.digest(secret.encode(), b"deskhub channel tokens", hashlib.sha256)
    body = f"{tenant}\n{instance}\n".encode() + id_
    return hmac.digest(key, body, hashlib.sha256)[:MAC_BYTES]
