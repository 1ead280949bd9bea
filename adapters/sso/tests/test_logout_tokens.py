"""The logout token's checks: what is announced must be signed, fresh, and an announcement."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from deskhub_sso.tokens import (
    LOGOUT_EVENT,
    TokenInvalid,
    UnknownKey,
    import_keys,
    verify_logout_token,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ISSUER = "https://login.example.com"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig", "alg": "RS256"})
KEYS = import_keys({"keys": [RSA.as_dict(private=False)]})


def claims(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "iss": ISSUER, "aud": "deskhub", "sub": "p-1", "sid": "s-1", "jti": "j-1",
        "iat": int(NOW.timestamp()), "events": {LOGOUT_EVENT: {}},
    }  # fmt: skip
    base.update(changes)
    return {name: value for name, value in base.items() if value is not None}


def verify(token: str) -> Any:
    return verify_logout_token(token, KEYS, issuer=ISSUER, client_id="deskhub", now=NOW)


def signed(kid: str = "rsa-1", **changes: Any) -> str:
    header = {"alg": "RS256", "kid": kid, "typ": "logout+jwt"}
    return jwt.encode(header, claims(**changes), RSA)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_good_announcement_names_account_and_session() -> None:
    found = verify(signed())

    assert (found["sub"], found["sid"], found["jti"]) == ("p-1", "s-1", "j-1")


@pytest.mark.parametrize("left_out", ["sub", "sid"])
def test_one_name_is_enough(left_out: str) -> None:
    assert verify(signed(**{left_out: None}))["jti"] == "j-1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"events": None}, "event"),
        ({"events": {}}, "event"),
        ({"events": {LOGOUT_EVENT: "yes"}}, "event"),
        ({"events": [LOGOUT_EVENT]}, "event"),
        ({"nonce": "n-1"}, "nonce"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 5}, "jti"),
        ({"sub": None, "sid": None}, "subject"),
        ({"iss": "https://other.example.com"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"iat": None}, "times"),
        ({"iat": int((NOW - timedelta(minutes=20)).timestamp())}, "old"),
        ({"iat": int((NOW + timedelta(minutes=5)).timestamp())}, "future"),
        ({"exp": int((NOW - timedelta(minutes=5)).timestamp())}, "expired"),
    ],
)
def test_what_is_no_announcement_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(TokenInvalid) as refused:
        verify(signed(**changes))

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("algorithm", "reason"),
    [("none", "algorithm"), ("HS256", "algorithm"), ("RS256", "signature")],
)
def test_the_public_key_and_no_key_sign_nothing(algorithm: str, reason: str) -> None:
    header = {"alg": algorithm, "kid": "rsa-1"}
    text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims()))
    mac = hmac.new(RSA.as_pem(private=False), text.encode(), hashlib.sha256).digest()

    with pytest.raises(TokenInvalid) as refused:
        verify(f"{text}.{'' if algorithm == 'none' else b64(mac)}")

    assert refused.value.reason == reason


def test_an_unknown_key_asks_for_newer_keys() -> None:
    with pytest.raises(UnknownKey):
        verify(signed(kid="rsa-2"))
