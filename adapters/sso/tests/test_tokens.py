"""The ID token's checks: every way it can be wrong has a test that it is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from deskhub_sso.tokens import (
    SigningKey,
    TokenInvalid,
    UnknownKey,
    import_keys,
    verify_id_token,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ISSUER = "https://login.example.com"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig", "alg": "RS256"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"})
KEYS = import_keys({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]})


def claims(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "iss": ISSUER, "aud": "deskhub", "sub": "p-1", "nonce": "n-1",
        "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 300,
    }  # fmt: skip
    base.update(changes)
    return {name: value for name, value in base.items() if value is not None}


def signed(
    key: Any = RSA, alg: str = "RS256", kid: str | None = "rsa-1", **changes: Any
) -> str:
    header = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
    return jwt.encode(header, claims(**changes), key, algorithms=[alg])


def verify(token: str, keys: tuple[SigningKey, ...] = KEYS, **more: Any) -> Any:
    return verify_id_token(
        token, keys, issuer=ISSUER, client_id="deskhub", nonce="n-1", now=NOW, **more
    )


def reason(token: str, **more: Any) -> str:
    with pytest.raises(TokenInvalid) as refused:
        verify(token, **more)
    return refused.value.reason


def unsigned(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_good_token_gives_its_claims() -> None:
    assert verify(signed())["sub"] == "p-1"


def test_es256_is_as_good_as_rs256() -> None:
    assert verify(signed(EC, "ES256", "ec-1"))["sub"] == "p-1"


def test_alg_none_is_refused() -> None:
    assert reason(unsigned({"alg": "none"}, claims())) == "algorithm"
    assert reason(unsigned({"alg": "None", "kid": "rsa-1"}, claims())) == "algorithm"


def hmac_signed(header: dict[str, Any]) -> str:
    """Sign with the public key as if it were a shared secret, as an attacker would."""
    token = unsigned(header, claims()).rpartition(".")[0]
    mac = hmac.new(RSA.as_pem(private=False), token.encode(), hashlib.sha256).digest()
    return f"{token}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_the_public_key_does_not_work_as_a_shared_secret() -> None:
    assert reason(hmac_signed({"alg": "HS256", "kid": "rsa-1"})) == "algorithm"


def test_a_header_that_says_rs256_over_an_hmac_is_refused() -> None:
    assert reason(hmac_signed({"alg": "RS256", "kid": "rsa-1"})) == "signature"


def test_a_key_inside_the_header_is_not_believed() -> None:
    own = RSAKey.generate_key(2048, {"kid": "rsa-1"})
    token = jwt.encode(
        {"alg": "RS256", "kid": "rsa-1", "jwk": own.as_dict(private=False)}, claims(), own,
        algorithms=["RS256"],
    )  # fmt: skip

    assert reason(token) == "signature"


def test_another_key_under_a_known_name_is_refused() -> None:
    assert reason(signed(RSAKey.generate_key(2048, {"kid": "rsa-1"}))) == "signature"


def test_an_unknown_key_asks_for_newer_keys() -> None:
    with pytest.raises(UnknownKey):
        verify(signed(kid="rsa-2"))


def test_a_token_without_a_key_name_needs_a_set_with_one_fitting_key() -> None:
    assert verify(signed(kid=None))["sub"] == "p-1"
    two = (*KEYS, RSAKey.generate_key(2048, {"kid": "rsa-9"}))
    assert reason(signed(kid=None), keys=two) == "key"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://login.example.com/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ["deskhub", "other"]}, "authorized_party"),
        ({"aud": ["deskhub", "other"], "azp": "other"}, "authorized_party"),
        ({"azp": "other"}, "authorized_party"),
        ({"exp": int(NOW.timestamp()) - 60}, "expired"),
        ({"exp": None}, "times"),
        ({"exp": True}, "times"),
        ({"exp": "tomorrow"}, "times"),
        ({"iat": None}, "times"),
        ({"iat": int(NOW.timestamp()) + 61}, "future"),
        ({"nbf": int(NOW.timestamp()) + 61}, "future"),
        ({"iat": int(NOW.timestamp()) - 661}, "old"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"),
        ({"at_hash": ""}, "at_hash"),
    ],
)
def test_a_claim_that_does_not_fit_refuses_the_token(
    changes: dict[str, Any], expected: str
) -> None:
    body = claims(**changes)
    token = jwt.encode({"alg": "RS256", "kid": "rsa-1"}, body, RSA, algorithms=["RS256"])

    assert reason(token, access_token="at-1") == expected


def test_several_audiences_are_fine_when_this_one_was_authorized() -> None:
    assert verify(signed(aud=["deskhub", "api"], azp="deskhub"))["sub"] == "p-1"


def test_a_minute_of_clock_difference_is_forgiven_and_no_more() -> None:
    assert verify(signed(exp=int(NOW.timestamp()) - 59))["sub"] == "p-1"
    assert reason(signed(exp=int(NOW.timestamp()) - 60)) == "expired"


def test_an_access_token_that_belongs_to_it_is_accepted() -> None:
    half = hashlib.sha256(b"at-1").digest()[:16]
    at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()

    assert verify(signed(at_hash=at_hash), access_token="at-1")["sub"] == "p-1"


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c.d", "....", "!.!.!", "W10.e30.", "e30.e30."]
)
def test_what_is_no_token_is_refused_without_a_crash(token: str) -> None:
    assert reason(token) in {"shape", "algorithm"}


def test_a_huge_token_is_refused_before_it_is_read() -> None:
    assert reason("a" * 70_000 + ".b.c") == "shape"


def test_a_key_set_keeps_only_keys_that_can_sign_here() -> None:
    small = base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()
    odd = [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
        {"kty": "unheard-of"},
        {**RSA.as_dict(private=False), "use": "enc", "kid": "enc-1"},
        {"kty": "RSA", "n": small, "e": "AQAB", "kid": "small"},
        "text",
    ]

    keys = import_keys({"keys": [*odd, RSA.as_dict(private=False)]})

    assert [key.kid for key in keys] == ["rsa-1"]


@pytest.mark.parametrize("document", [None, [], "x", {}, {"keys": {}}])
def test_what_is_no_key_set_is_named_so(document: object) -> None:
    with pytest.raises(ValueError, match="key set"):
        import_keys(document)


def test_the_clock_is_the_callers() -> None:
    with pytest.raises(TokenInvalid) as refused:
        verify_id_token(
            signed(), KEYS, issuer=ISSUER, client_id="deskhub", nonce="n-1",
            now=NOW + timedelta(minutes=7),
        )  # fmt: skip
    assert refused.value.reason == "expired"
