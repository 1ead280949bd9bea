"""An access token is exactly ours or worth nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest

from deskhub.errors import Unauthenticated
from deskhub.identity.keys import KeyTable, new_table
from deskhub.identity.records import Agent
from deskhub.identity.tokens import ACCESS_S, read_access, sign_access
from tests.identity.clock import TestClock

AGENT = Agent("main", "a_1", "li@example.com", "Li Wei", "agent", version=3)


@pytest.fixture
def keys() -> KeyTable:
    return new_table()


def test_what_was_signed_is_read_back(keys: KeyTable) -> None:
    now = TestClock().now()

    claims = read_access(keys, sign_access(keys, AGENT, "s_1", now), now)

    assert (claims.tenant, claims.agent, claims.session, claims.version) == (
        "main", "a_1", "s_1", 3,
    )  # fmt: skip


def test_it_ends_after_a_quarter_of_an_hour(keys: KeyTable) -> None:
    now = TestClock().now()
    token = sign_access(keys, AGENT, "s_1", now)

    read_access(keys, token, now + timedelta(seconds=ACCESS_S))
    with pytest.raises(Unauthenticated):
        read_access(keys, token, now + timedelta(seconds=ACCESS_S + 6))


def forged(keys: KeyTable, **change: Any) -> str:
    now = TestClock().now()
    claims = {
        "iss": "deskhub", "aud": "deskhub-console", "iat": now, "typ": "access",
        "exp": now + timedelta(seconds=60), "sub": "a_1", "tenant": "main", "sid": "s_1",
        "ver": 3,
    }  # fmt: skip
    header = {"kid": keys.current, **change.pop("header", {})}
    secret = change.pop("secret", keys.signing)
    algorithm = change.pop("algorithm", "HS256")
    kept = {key: value for key, value in (claims | change).items() if value is not None}
    return jwt.encode(kept, secret, algorithm=algorithm, headers=header)


def test_the_forgery_without_a_change_would_pass(keys: KeyTable) -> None:
    assert read_access(keys, forged(keys), TestClock().now()).agent == "a_1"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize(
    "change",
    [
        {"secret": "x" * 50},
        {"algorithm": "HS512"},
        {"algorithm": "none", "secret": ""},
        {"header": {"kid": "../keys.json"}},
        {"header": {"kid": 7}},
        {"header": {"kid": None}},
        {"aud": "deskhub:web"},
        {"aud": ["deskhub-console", "x"]},
        {"iss": "somebody"},
        {"typ": "refresh"},
        {"ver": "three"},
        {"exp": 1},
        {"exp": "tomorrow"},
        *({name: None} for name in ("iss", "aud", "exp", "iat", "typ", "sub", "tenant")),
        {"sid": None},
        {"ver": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_exactly_ours_is_refused(
    keys: KeyTable, change: dict[str, Any]
) -> None:
    try:
        token = forged(keys, **change)
    except (TypeError, jwt.PyJWTError):
        pytest.skip("not even the library writes such a token")

    with pytest.raises(Unauthenticated):
        read_access(keys, token, TestClock().now())


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "." * 4000, "é.é.é", "x" * 9999])
def test_noise_is_refused(keys: KeyTable, token: str) -> None:
    with pytest.raises(Unauthenticated):
        read_access(keys, token, TestClock().now())
