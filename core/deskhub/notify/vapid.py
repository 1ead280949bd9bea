"""The key that push services know this hub by (VAPID, RFC 8292): a file of its owner's."""

from __future__ import annotations

import base64
import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deskhub.identity.errors import KeysUnsafe
from deskhub.identity.keys import write_once

FILE = "push.pem"
# The longest that services accept is a day.
VALID = timedelta(hours=12)


class Vapid:
    """Signs requests to push services. Browsers subscribe to *public*, and to no other key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        """Sign with *key*; *contact* (``mailto:…`` or ``https:…``) is whom services may ask."""
        self._key = key
        self._contact = contact
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.public = base64.urlsafe_b64encode(point).decode().rstrip("=")

    def authorization(self, origin: str, now: datetime) -> str:
        """Return the header for a request to *origin*; it is worth nothing anywhere else."""
        claims = {"aud": origin, "exp": int((now + VALID).timestamp()), "sub": self._contact}
        return f"vapid t={jwt.encode(claims, self._key, algorithm='ES256')}, k={self.public}"


def open_vapid(data_dir: Path, contact: str) -> Vapid:
    """Return the key in *data_dir*, made at the first start with mode 0600.

    Two processes that start together end with the same file. Raises `KeysUnsafe`.
    """
    path = data_dir / FILE
    if not path.exists():
        write_once(path, _new())
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeysUnsafe(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise KeysUnsafe(f"{path} does not hold a key; restore it from a backup") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeysUnsafe(f"{path} holds a key of another kind; restore it from a backup")
    return Vapid(key, contact)


def _new() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
