"""The ID token: whose signature it carries, for whom, for how long, for which sign-in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from deskhub_sdk import Forged

# The only algorithms there are here: "none" and the HMAC family (a public key used as a
# shared secret) cannot be reached, whatever a token's header says.
ALGORITHMS: Mapping[str, str] = {"RS256": "RSA", "ES256": "EC"}

CLOCK_SKEW_S = 60
# The token was made for a code of this very sign-in; an older one was kept by somebody.
MAX_AGE_S = 600
MAX_TOKEN_BYTES = 64_000
MIN_RSA_BITS = 2048
MAX_WORD_CHARS = 512
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

SigningKey = RSAKey | ECKey
Claims = Mapping[str, Any]


class TokenInvalid(Forged):
    """An ID token that proves nothing. *reason* is one word for log and tests."""

    def __init__(self, reason: str, text: str) -> None:
        """Name the *reason* and say it in a sentence without the token's content."""
        super().__init__(text)
        self.reason = reason


class UnknownKey(TokenInvalid):
    """The token names a key that is not in the key set at hand; a newer set may have it."""


def import_keys(document: object) -> tuple[SigningKey, ...]:
    """Return the signing keys of a JWKS document that can be used here, and only those.

    Keys of other types or uses, keys that are broken and RSA keys under 2048 bits are left
    out, so that one odd key does not lock everybody out. Raises `ValueError` when the
    document is no key set.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("a key set is an object with a list of keys")
    keys = (_import_key(entry) for entry in entries if isinstance(entry, dict))
    return tuple(key for key in keys if key is not None)


def verify_id_token(
    token: str,
    keys: Sequence[SigningKey],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
    access_token: str | None = None,
) -> Claims:
    """Return the claims of *token* after every check of OpenID Connect Core 3.1.3.7.

    Raises `UnknownKey` when a newer key set should be asked for, else `TokenInvalid`.
    """
    claims = _signed(token, keys)
    _check_parties(claims, issuer, client_id)
    _check_times(claims, now.timestamp())
    if not _same(claims.get("nonce"), nonce):
        raise TokenInvalid("nonce", "the ID token belongs to another sign-in")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise TokenInvalid("subject", "the ID token names nobody")
    if "at_hash" in claims and not _same(claims["at_hash"], _half_hash(access_token or "")):
        raise TokenInvalid(
            "at_hash", "the ID token and the access token do not belong together"
        )
    return claims


def verify_logout_token(
    token: str, keys: Sequence[SigningKey], *, issuer: str, client_id: str, now: datetime
) -> Claims:
    """Return the claims of a logout token after every check of Back-Channel Logout 2.6.

    Raises `UnknownKey` when a newer key set should be asked for, else `TokenInvalid`.
    """
    claims = _signed(token, keys)
    _check_parties(claims, issuer, client_id)
    _check_times({"exp": now.timestamp() + 1, **claims}, now.timestamp())
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenInvalid("event", "the token announces no sign-out")
    if "nonce" in claims:
        # An ID token must never pass for an announcement.
        raise TokenInvalid("nonce", "the token belongs to a sign-in")
    if not _is_word(claims.get("jti")):
        raise TokenInvalid("jti", "the announcement has no id")
    if not (_is_word(claims.get("sub")) or _is_word(claims.get("sid"))):
        raise TokenInvalid("subject", "the announcement names nobody")
    return claims


def _signed(token: str, keys: Sequence[SigningKey]) -> dict[str, Any]:
    algorithm, key = _key_for(_header(token), keys)
    try:
        return dict(jwt.decode(token, key, algorithms=[algorithm]).claims)
    except (JoseError, ValueError) as error:
        raise TokenInvalid("signature", "the ID token's signature does not hold") from error


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_WORD_CHARS


def _import_key(entry: dict[str, Any]) -> SigningKey | None:
    if entry.get("use", "sig") != "sig":
        return None
    try:
        if entry.get("kty") == "RSA" and _bits(entry["n"]) >= MIN_RSA_BITS:
            return RSAKey.import_key(entry)
        if entry.get("kty") == "EC" and entry.get("crv") == "P-256":
            return ECKey.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def _bits(number: str) -> int:
    """Return how many bits a number in base64url has, its leading zeros left out."""
    raw = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return int.from_bytes(raw).bit_length()


def _header(token: str) -> dict[str, Any]:
    """Return the header, which is not trusted: it only chooses among our own keys."""
    if len(token) > MAX_TOKEN_BYTES or token.count(".") != 2:
        raise TokenInvalid("shape", "the ID token is not a signed token")
    part = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError) as error:
        raise TokenInvalid("shape", "the ID token is not a signed token") from error
    if not isinstance(header, dict):
        raise TokenInvalid("shape", "the ID token is not a signed token")
    return header


def _key_for(header: dict[str, Any], keys: Sequence[SigningKey]) -> tuple[str, SigningKey]:
    """Choose the key by id and type; keys inside the header (jwk, jku, x5u) are not read."""
    algorithm = header.get("alg")
    key_type = ALGORITHMS.get(algorithm) if isinstance(algorithm, str) else None
    if key_type is None or not isinstance(algorithm, str):
        raise TokenInvalid("algorithm", "the ID token is not signed with RS256 or ES256")
    fitting = [key for key in keys if key.key_type == key_type and _allows(key, algorithm)]
    kid = header.get("kid")
    named = fitting if kid is None else [key for key in fitting if key.kid == kid]
    if len(named) == 1:
        return algorithm, named[0]
    if kid is None and named:
        raise TokenInvalid("key", "the ID token does not say which of several keys signed it")
    raise UnknownKey("key", "the ID token was signed with a key the provider does not publish")


def _allows(key: SigningKey, algorithm: str) -> bool:
    return (key.alg or algorithm) == algorithm


def _check_parties(claims: Claims, issuer: str, client_id: str) -> None:
    if claims.get("iss") != issuer:
        raise TokenInvalid("issuer", f"the ID token is not from {issuer}")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise TokenInvalid("audience", "the ID token is for another application")
    azp = claims.get("azp")
    if (azp is None and len(audiences) > 1) or (azp is not None and azp != client_id):
        raise TokenInvalid("authorized_party", "the ID token was given to another application")


def _check_times(claims: Claims, now: float) -> None:
    expires, issued = _seconds(claims.get("exp")), _seconds(claims.get("iat"))
    if now >= expires + CLOCK_SKEW_S:
        raise TokenInvalid("expired", "the ID token has expired")
    if max(issued, _seconds(claims.get("nbf", 0))) > now + CLOCK_SKEW_S:
        raise TokenInvalid("future", "the ID token is from the future: compare both clocks")
    if now - issued > MAX_AGE_S + CLOCK_SKEW_S:
        raise TokenInvalid("old", "the ID token was made too long ago")


def _seconds(value: object) -> float:
    # A bool is an int in Python and no time; NaN would pass every comparison.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124
        raise TokenInvalid("times", "the ID token does not say when it was made and ends")
    return value


def _half_hash(access_token: str) -> str:
    digest = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _same(left: object, right: str) -> bool:
    """Compare in constant time; a missing or empty value equals nothing."""
    if not isinstance(left, str) or not left or not right:
        return False
    return hmac.compare_digest(left.encode(), right.encode())
