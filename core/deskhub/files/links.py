"""Signed addresses: for one file, one reader and a few minutes.

An address says who it was made for; whether that person may still see the file is asked again
when it is used. It needs no header, so that an ``<img>`` can show it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import Literal

import msgspec

from deskhub.files.errors import LinkExpired
from deskhub.identity.keys import KeyTable
from deskhub.identity.model import Kind, Principal, Role

PREFIX = "/files/"
# Addresses of one reader stay the same for a while, so that a browser's cache is of use. They
# work for 150 to 300 seconds.
STEP_S = 150
MAC_BYTES = 16
CHARS_MAX = 2048

Variant = Literal["image", "thumb", "download"]


class Link(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What an address says. *until* is in seconds since 1970."""

    file: str
    variant: Variant
    until: int
    tenant: str
    kind: Kind
    id: str
    role: Role | None
    inboxes: tuple[str, ...] | None
    session: str | None
    version: int
    grants: tuple[str, ...] = ()

    @property
    def principal(self) -> Principal:
        """Return whom it was made for, as they were then."""
        return Principal(
            tenant=self.tenant, kind=self.kind, id=self.id, role=self.role,
            inboxes=None if self.inboxes is None else frozenset(self.inboxes),
            grants=frozenset(self.grants), session=self.session, version=self.version,
        )  # fmt: skip


class Links:
    """Makes and reads addresses with the installation's own keys."""

    def __init__(self, keys: KeyTable) -> None:
        """Sign with the current one of *keys*."""
        self._keys = keys

    def until(self, now: datetime) -> int:
        """Return when addresses end that are made *now*, in seconds since 1970."""
        return (int(now.timestamp()) // STEP_S + 2) * STEP_S

    def address(self, principal: Principal, file: str, variant: Variant, now: datetime) -> str:
        """Return the path under which *principal* reads *file* for a few minutes."""
        body = msgspec.json.encode(
            Link(
                file, variant, self.until(now), principal.tenant, principal.kind, principal.id,
                principal.role,
                None if principal.inboxes is None else tuple(sorted(principal.inboxes)),
                principal.session, principal.version, tuple(sorted(principal.grants)),
            )
        )  # fmt: skip
        kid = self._keys.current
        signed = body + self._mac(self._keys.signing, body)
        return f"{PREFIX}{kid}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"

    def read(self, token: str, now: datetime) -> Link:
        """Return what an address says. Raises `LinkExpired` for anything not exactly ours."""
        kid, _, text = token.partition(".")
        secret = self._keys.secret(kid)
        if secret is None or len(token) > CHARS_MAX:
            raise LinkExpired("unknown key")
        try:
            signed = base64.b64decode(
                text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
            )
        except (ValueError, binascii.Error) as error:
            raise LinkExpired("encoding") from error
        body, mac = signed[:-MAC_BYTES], signed[-MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(secret, body)):
            raise LinkExpired("signature")
        link = msgspec.json.decode(body, type=Link)
        if link.until <= now.timestamp():
            raise LinkExpired("too old")
        return link

    @staticmethod
    def _mac(secret: str, body: bytes) -> bytes:
        # A key of its own: no signature for one purpose is one for another.
        key = hmac.digest(secret.encode(), b"deskhub file addresses", hashlib.sha256)
        return hmac.digest(key, body, hashlib.sha256)[:MAC_BYTES]
