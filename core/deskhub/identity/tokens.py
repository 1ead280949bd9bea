"""Tokens: the hub's own access JWT, opaque tokens, and the identity a shop signs.

Every algorithm is fixed here; what a token's header asks for is never followed (RFC 8725).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from deskhub.errors import Unauthenticated
from deskhub.identity.errors import IdentityRefused
from deskhub.identity.keys import KeyTable
from deskhub.identity.records import Agent, Claim
from deskhub.ids import new_secret

ISSUER = "deskhub"
AUDIENCE = "deskhub-console"
TYPE = "at+jwt"
ACCESS_S = 15 * 60
IDENTITY_MAX_S = 10 * 60
LEEWAY_S = 5
VISITOR_PREFIX = "dhv_"
REFRESH_PREFIX = "dhr_"
CODE_PREFIX = "dhc_"
API_PREFIX = "dhk_"
MAX_TOKEN_CHARS = 4096
_REQUIRED = ["iss", "aud", "exp", "iat", "typ", "sub", "tenant", "sid", "ver"]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid access token says; whether its session still counts is another question."""

    tenant: str
    agent: str
    session: str
    version: int


def opaque(prefix: str) -> str:
    """Return a new token of 256 random bits; only its `digest` is stored."""
    return prefix + new_secret(256)


def digest(token: str) -> str:
    """Return what is stored of an opaque *token*: it is random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_access(keys: KeyTable, agent: Agent, session: str, now: datetime) -> str:
    """Return a fifteen-minute access token of *agent* in *session*."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + timedelta(seconds=ACCESS_S),
        "typ": "access",
        "sub": agent.id,
        "tenant": agent.tenant,
        "sid": session,
        "ver": agent.version,
    }
    header = {"kid": keys.current, "typ": TYPE}
    return jwt.encode(claims, keys.signing, algorithm="HS256", headers=header)


def read_access(keys: KeyTable, token: str, now: datetime) -> AccessClaims:
    """Return the claims of *token*. Raises `Unauthenticated` for anything not exactly ours."""
    secret = keys.secret(_kid(token))
    if secret is None:
        raise Unauthenticated("unknown key id")
    try:
        claims = _decode(token, secret, AUDIENCE, now, issuer=ISSUER, require=_REQUIRED)
    except jwt.PyJWTError as error:
        raise Unauthenticated(type(error).__name__) from error
    if claims["typ"] != "access":
        raise Unauthenticated("not an access token")
    try:
        return AccessClaims(
            tenant=str(claims["tenant"]),
            agent=str(claims["sub"]),
            session=str(claims["sid"]),
            version=int(claims["ver"]),
        )
    except (TypeError, ValueError) as error:
        raise Unauthenticated("claims of the wrong type") from error


def read_identity(token: str, secret: str, inbox: str, now: datetime) -> Claim:
    """Return whom the shop's server vouches for in *inbox*.

    HS256 with the inbox's identity secret, ``aud`` ``deskhub:<inbox>``, ``sub`` the customer
    number, ``exp`` at most ten minutes ahead. Raises `IdentityRefused`.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise IdentityRefused("token too long")
    try:
        claims = _decode(token, secret, f"deskhub:{inbox}", now, require=["aud", "exp", "sub"])
    except jwt.PyJWTError as error:
        raise IdentityRefused(type(error).__name__) from error
    if claims["exp"] > now.timestamp() + IDENTITY_MAX_S + LEEWAY_S:
        raise IdentityRefused("exp is more than ten minutes ahead")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 128:
        raise IdentityRefused("sub must be a text of 1 to 128 characters")
    return Claim(
        subject=subject,
        name=_text(claims, "name", 200),
        email=_text(claims, "email", 320),
        phone=_text(claims, "phone", 40),
        language=_text(claims, "language", 35),
    )


def sign_identity(
    secret: str, inbox: str, claim: Claim, now: datetime, lifetime_s: int = 300
) -> str:
    """Return what a shop's server would sign; the demo shop and tests use it."""
    facts = {
        "name": claim.name,
        "email": claim.email,
        "phone": claim.phone,
        "language": claim.language,
    }
    claims: dict[str, Any] = {key: value for key, value in facts.items() if value}
    claims |= {
        "sub": claim.subject,
        "aud": f"deskhub:{inbox}",
        "exp": now + timedelta(seconds=lifetime_s),
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def _decode(
    token: str,
    secret: str,
    audience: str,
    now: datetime,
    *,
    require: list[str],
    issuer: str | None = None,
) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        secret,
        algorithms=["HS256"],
        audience=audience,
        issuer=issuer,
        # Times are compared below, with the hub's own clock.
        options={
            "require": require, "strict_aud": True,
            "verify_exp": False, "verify_iat": False, "verify_nbf": False,
        },
    )  # fmt: skip
    moment = now.timestamp()
    if _number(claims, "exp") < moment - LEEWAY_S:
        raise jwt.ExpiredSignatureError("exp")
    if "nbf" in claims and _number(claims, "nbf") > moment + LEEWAY_S:
        raise jwt.ImmatureSignatureError("nbf")
    return claims


def _number(claims: dict[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise jwt.DecodeError(f"{name} is not a number")
    return float(value)


def _kid(token: str) -> str:
    if len(token) > MAX_TOKEN_CHARS:
        raise Unauthenticated("token too long")
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise Unauthenticated("not a token") from error
    if not isinstance(kid, str):
        raise Unauthenticated("no key id")
    return kid


def _text(claims: dict[str, Any], name: str, limit: int) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit or "\x00" in value:
        raise IdentityRefused(f"{name} must be a text of at most {limit} characters")
    return value.strip() or None
