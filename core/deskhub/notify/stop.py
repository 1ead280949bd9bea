"""Addresses in a mail's footer, signed for one reader: nobody ends another one's mail."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from deskhub.identity.keys import KeyTable
from deskhub.notify.errors import MailLinkUnknown

PREFIX = "/mail/"
MAC_BYTES = 16
CHARS_MAX = 1024


class StopLinks:
    """Makes and reads them with the installation's own keys. They do not end."""

    def __init__(self, keys: KeyTable) -> None:
        """Sign with the current one of *keys*."""
        self._keys = keys

    def path(self, tenant: str, address: str) -> str:
        """Return the path under which the reader of *address* ends answers by mail."""
        body = f"{tenant}\n{address}".encode()
        signed = body + _mac(self._keys.signing, body)
        text = base64.urlsafe_b64encode(signed).decode().rstrip("=")
        return f"{PREFIX}{self._keys.current}.{text}"

    def read(self, token: str) -> tuple[str, str]:
        """Return (tenant, address). Raises `MailLinkUnknown` for anything not exactly ours."""
        kid, _, text = token.partition(".")
        secret = self._keys.secret(kid)
        if secret is None or len(token) > CHARS_MAX:
            raise MailLinkUnknown("unknown key")
        try:
            signed = base64.b64decode(
                text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
            )
        except (ValueError, binascii.Error) as error:
            raise MailLinkUnknown("encoding") from error
        body, mac = signed[:-MAC_BYTES], signed[-MAC_BYTES:]
        if not hmac.compare_digest(mac, _mac(secret, body)):
            raise MailLinkUnknown("signature")
        tenant, _, address = body.decode().partition("\n")
        return tenant, address


def _mac(secret: str, body: bytes) -> bytes:
    # A key of its own: no signature for one purpose is one for another.
    key = hmac.digest(secret.encode(), b"deskhub mail links", hashlib.sha256)
    return hmac.digest(key, body, hashlib.sha256)[:MAC_BYTES]
