"""Signing secrets of subscriptions: made here, and encrypted where they are stored.

They have to be read again to sign, so a hash will not do. The key is made of the
installation's own signing key, which lies in a file and not in the database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deskhub.identity.keys import KeyTable

PREFIX = "whsec_"
# Standard Webhooks: 24 to 64 bytes.
SECRET_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """What is stored does not open: another key, another place, or it was changed."""


def new_secret() -> str:
    """Return a fresh signing secret as receivers paste it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class Seal:
    """Encrypts for one place: put elsewhere, a secret does not open."""

    def __init__(self, keys: KeyTable) -> None:
        """Seal with the signing key; open with whichever of *keys* it was sealed with."""
        self._keys = keys

    def seal(self, secret: str, place: str) -> str:
        """Return *secret* encrypted for *place*."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = AESGCM(_key(self._keys.signing))
        sealed = cipher.encrypt(nonce, secret.encode(), place.encode())
        return f"{self._keys.current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """Return the secret that was sealed for *place*. Raises `SealBroken`."""
        kid, _, text = sealed.partition(".")
        key = self._keys.secret(kid)
        if key is None:
            raise SealBroken("the key that it was sealed with is gone")
        try:
            raw = base64.urlsafe_b64decode(text.encode())
            nonce, rest = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
            return AESGCM(_key(key)).decrypt(nonce, rest, place.encode()).decode()
        except (InvalidTag, ValueError):
            # Not chained: a traceback would show what was tried.
            raise SealBroken("it was changed or moved") from None


def _key(signing: str) -> bytes:
    return hmac.digest(signing.encode(), b"deskhub webhook secrets", hashlib.sha256)
