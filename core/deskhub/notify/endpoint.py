"""What a browser says where it can be told, checked: an address strangers choose is asked for.

Only https on the open internet, at its usual port, as for adapters; the services that hub.toml
names may be anywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from deskhub.host.addresses import Refused, check_address, origin_of
from deskhub.notify.errors import PushEndpointRefused

ENDPOINT_CHARS = 2_048
POINT_BYTES = 65
SECRET_BYTES = 16


def checked_endpoint(endpoint: str, services: Collection[str]) -> str:
    """Return *endpoint* as it may be kept. Raises `PushEndpointRefused`."""
    if len(endpoint) > ENDPOINT_CHARS or not endpoint.isascii() or not endpoint.isprintable():
        raise PushEndpointRefused("not an address")
    try:
        scheme, host, port = origin_of(endpoint)
        if origin(endpoint) in services:
            return endpoint
        if scheme != "https" or port != 443:
            raise PushEndpointRefused("not https")
        check_literal(host)
    except Refused as error:
        raise PushEndpointRefused(str(error)) from error
    return endpoint


def check_literal(host: str) -> None:
    """Return unless *host* is a number inside the network. Raises `Refused`.

    Names are checked when they are connected to; a number never reaches the resolver.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    check_address(host, private_ok=False)


def checked_keys(p256dh: str, auth: str) -> tuple[str, str]:
    """Return the browser's public key and its secret. Raises `PushEndpointRefused`.

    What is no point of the curve would fail at every message.
    """
    point, secret = _decoded(p256dh), _decoded(auth)
    if len(point) != POINT_BYTES or len(secret) != SECRET_BYTES:
        raise PushEndpointRefused("keys of another length")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise PushEndpointRefused("not a point of the curve") from error
    return _encoded(point), _encoded(secret)


def device_id(endpoint: str) -> str:
    """Return the id of the browser behind *endpoint*: the same browser is the same device."""
    return f"pd_{hashlib.sha256(endpoint.encode()).hexdigest()[:32]}"


def origin(endpoint: str) -> str:
    """Return scheme and host of *endpoint*, as they stand in it."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def _decoded(text: str) -> bytes:
    try:
        plain = text.rstrip("=").encode("ascii")
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise PushEndpointRefused("not base64") from error


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
