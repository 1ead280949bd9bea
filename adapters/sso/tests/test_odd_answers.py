"""Providers that answer what no honest provider would, injected at the transport."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpcore2
import pytest
import pytest_asyncio
import respx
from joserfc import jwt
from joserfc.jwk import RSAKey

from deskhub_sdk import (
    AdapterError,
    AuthRequired,
    ConfigInvalid,
    Forged,
    Malformed,
    Rejected,
    SignInRequest,
    Throttled,
    Unavailable,
)
from deskhub_sdk.testing import given_context
from deskhub_sso import Sso, SsoConfig
from deskhub_sso.tokens import TokenInvalid, UnknownKey

ISSUER = "https://login.example.com"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = RSAKey.generate_key(2048, {"kid": "k-1", "use": "sig", "alg": "RS256"})
NEXT = RSAKey.generate_key(2048, {"kid": "k-2", "use": "sig", "alg": "RS256"})
SECRET = "s3cret-of-the-client"
REQUEST = SignInRequest(
    redirect_uri="https://desk.example.com/auth/sso/callback",
    state="st", nonce="no", code_verifier="v" * 64,
)  # fmt: skip
BACK = {"state": "st", "code": "c-1"}
DISCOVERY = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
}


def id_token(key: RSAKey = KEY, **changes: Any) -> str:
    claims: dict[str, Any] = {
        "iss": ISSUER, "aud": "deskhub", "sub": "p-1", "nonce": "no",
        "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 300,
        "email": "li@example.com", "groups": ["support"], "tenant": "main",
    }  # fmt: skip
    claims.update(changes)
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": key.kid}, kept, key)


class Answers:
    """What the provider answers; a test replaces one route."""

    def __init__(self, router: respx.Router) -> None:
        self.router = router
        self.discovery = router.get(f"{ISSUER}/.well-known/openid-configuration")
        self.discovery.respond(json=DISCOVERY)
        self.jwks = router.get(f"{ISSUER}/jwks")
        self.publish(KEY)
        self.token = router.post(f"{ISSUER}/token")
        self.give(id_token())
        self.userinfo = router.get(f"{ISSUER}/userinfo")
        self.userinfo.respond(json={"sub": "p-1"})

    def publish(self, *keys: RSAKey) -> None:
        self.jwks.respond(json={"keys": [key.as_dict(private=False) for key in keys]})

    def give(self, token: str) -> None:
        answer = {"access_token": "at", "token_type": "Bearer", "id_token": token}
        self.token.respond(json=answer)


@pytest.fixture
def answers() -> Iterator[Answers]:
    # pytest-httpx2 teaches respx the transport of httpx2.
    with respx.mock(using="httpcore2", assert_all_called=False) as router:
        yield Answers(router)


@pytest_asyncio.fixture
async def sso(answers: Answers) -> AsyncIterator[Sso]:
    config = SsoConfig.model_validate(
        {"issuer": ISSUER, "client_id": "deskhub", "client_secret": SECRET}
    )
    async with given_context(now=NOW) as ctx:
        adapter = Sso(config)
        await adapter.start(ctx)
        yield adapter
        await adapter.stop()


async def refused(sso: Sso) -> AdapterError:
    with pytest.raises(AdapterError) as raised:
        await sso.sign_in_finish(REQUEST, BACK)
    assert SECRET not in str(raised.value)
    return raised.value


async def test_an_honest_provider_is_believed(sso: Sso) -> None:
    found = await sso.sign_in_finish(REQUEST, BACK)

    assert (found.subject, found.groups, found.tenant) == ("p-1", ("support",), "main")


async def test_a_missing_email_verified_is_a_no(sso: Sso) -> None:
    assert (await sso.sign_in_finish(REQUEST, BACK)).email_verified is False


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://evil.example.com"}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"nonce": "another"}, "nonce"),
        ({"exp": int(NOW.timestamp()) - 61}, "expired"),
    ],
)
async def test_a_token_about_something_else_is_refused(
    sso: Sso, answers: Answers, changes: dict[str, Any], reason: str
) -> None:
    answers.give(id_token(**changes))

    error = await refused(sso)

    assert isinstance(error, TokenInvalid)
    assert error.reason == reason


async def test_a_key_that_is_not_published_yet_is_found_on_the_second_look(
    sso: Sso, answers: Answers
) -> None:
    await sso.sign_in_finish(REQUEST, BACK)
    answers.publish(NEXT)
    answers.give(id_token(NEXT))

    assert (await sso.sign_in_finish(REQUEST, BACK)).subject == "p-1"
    assert answers.jwks.call_count == 2


async def test_a_key_nobody_publishes_is_asked_for_once_more_and_refused(
    sso: Sso, answers: Answers
) -> None:
    await sso.sign_in_finish(REQUEST, BACK)
    answers.give(id_token(NEXT))

    assert isinstance(await refused(sso), UnknownKey)
    assert answers.jwks.call_count == 2


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({**DISCOVERY, "issuer": "https://evil.example.com"}, ConfigInvalid),
        ({**DISCOVERY, "issuer": f"{ISSUER}/"}, ConfigInvalid),
        ({**DISCOVERY, "token_endpoint": "https://evil.example.com/token"}, ConfigInvalid),
        ({**DISCOVERY, "jwks_uri": "http://login.example.com/jwks"}, ConfigInvalid),
        ({**DISCOVERY, "jwks_uri": "https://login.example.com:8443/jwks"}, ConfigInvalid),
        ({**DISCOVERY, "token_endpoint": "http://169.254.169.254/latest"}, ConfigInvalid),
        ({**DISCOVERY, "code_challenge_methods_supported": ["plain"]}, ConfigInvalid),
        ({"issuer": ISSUER}, Malformed),
        (["no", "object"], Malformed),
    ],
)
async def test_a_discovery_document_that_leads_astray_is_refused(
    sso: Sso, answers: Answers, document: Any, kind: type[AdapterError]
) -> None:
    answers.discovery.respond(json=document)

    assert type(await refused(sso)) is kind
    assert not answers.token.called


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_grant", Rejected),
        ("invalid_client", AuthRequired),
        ("unauthorized_client", AuthRequired),
        ("temporarily_unavailable", Unavailable),
        ("invalid_request", ConfigInvalid),
        ("<script>alert(1)</script>", ConfigInvalid),
    ],
)
async def test_each_refusal_of_the_token_endpoint_has_its_own_kind(
    sso: Sso, answers: Answers, error: str, kind: type[AdapterError]
) -> None:
    answers.token.respond(400, json={"error": error, "error_description": "<b>psst</b>"})

    raised = await refused(sso)

    assert type(raised) is kind
    assert "<" not in str(raised)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status_code": 500, "text": "oh"}, Unavailable),
        ({"status_code": 503, "html": "<p>down</p>"}, Unavailable),
        ({"status_code": 429, "text": "slow", "headers": {"retry-after": "7"}}, Throttled),
        ({"status_code": 403, "html": "<p>no</p>"}, AuthRequired),
        ({"status_code": 200, "html": "<p>sign in</p>"}, Malformed),
        ({"status_code": 200, "json": ["x"]}, Malformed),
        ({"status_code": 200, "json": {"access_token": "at"}}, Malformed),
        ({"status_code": 200, "json": {"id_token": 7}}, Malformed),
        ({"status_code": 200, "json": {"id_token": "a.b.c", "expires_in": "x"}}, Malformed),
        ({"status_code": 302, "headers": {"location": "http://169.254.169.254/"}}, None),
    ],
)
async def test_an_answer_that_is_none_is_named_by_what_to_do(
    sso: Sso, answers: Answers, answer: dict[str, Any], kind: type[AdapterError] | None
) -> None:
    answers.token.respond(**answer)

    error = await refused(sso)

    assert kind is None or type(error) is kind
    if isinstance(error, Throttled):
        assert error.retry_after_s == 7
    assert answers.token.call_count == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpcore2.ConnectTimeout("slow"),
        httpcore2.ReadTimeout("slow"),
        httpcore2.ConnectError("refused"),
        httpcore2.RemoteProtocolError("cut"),
    ],
)
async def test_a_provider_that_is_down_is_unavailable(
    sso: Sso, answers: Answers, failure: Exception
) -> None:
    answers.token.mock(side_effect=failure)

    assert type(await refused(sso)) is Unavailable
    # The code works once: a second try could only be refused, or double something.
    assert answers.token.call_count == 1


async def test_an_answer_without_end_is_cut_off(sso: Sso, answers: Answers) -> None:
    answers.jwks.respond(content=b" " * 1_000_001)

    assert "bytes" in str(await refused(sso))


async def test_a_packed_answer_is_not_unpacked(sso: Sso, answers: Answers) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    answers.jwks.respond(content=bomb, headers={"content-encoding": "gzip"})

    assert "packed" in str(await refused(sso))
    assert answers.jwks.calls.last.request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("body", ["[]", '"x"', "{}", '{"keys": 1}', "nope"])
async def test_what_is_no_key_set_is_malformed(sso: Sso, answers: Answers, body: str) -> None:
    answers.jwks.respond(content=body.encode())

    assert type(await refused(sso)) is Malformed


async def test_claims_that_the_token_leaves_out_come_from_userinfo(
    sso: Sso, answers: Answers
) -> None:
    answers.give(id_token(groups=None, email=None))
    answers.userinfo.respond(
        json={"sub": "p-1", "groups": ["support-leads"], "email": "li@example.com",
              "email_verified": True, "tenant": "other"}
    )  # fmt: skip

    found = await sso.sign_in_finish(REQUEST, BACK)

    assert (found.groups, found.email_verified) == (("support-leads",), True)
    # What is signed wins.
    assert found.tenant == "main"
    assert answers.userinfo.calls.last.request.headers["authorization"] == "Bearer at"


@pytest.mark.parametrize(
    "claims", [{"sub": "p-2", "groups": ["admins"]}, {"groups": ["admins"]}]
)
async def test_userinfo_about_somebody_else_is_refused(
    sso: Sso, answers: Answers, claims: dict[str, Any]
) -> None:
    answers.give(id_token(groups=None))
    answers.userinfo.respond(json=claims)

    assert type(await refused(sso)) is Forged


async def test_userinfo_elsewhere_is_not_called(sso: Sso, answers: Answers) -> None:
    elsewhere = answers.router.get("https://graph.example.net/userinfo").respond(json={})
    document = {**DISCOVERY, "userinfo_endpoint": "https://graph.example.net/userinfo"}
    answers.discovery.respond(json=document)
    answers.give(id_token(groups=None))

    assert (await sso.sign_in_finish(REQUEST, BACK)).groups == ()
    assert not elsewhere.called


async def test_the_code_travels_with_verifier_and_secret_but_not_in_an_address(
    sso: Sso, answers: Answers
) -> None:
    await sso.sign_in_finish(REQUEST, BACK)

    request = answers.token.calls.last.request
    form = parse_qs(request.content.decode())
    assert form["code_verifier"] == ["v" * 64]
    assert form["code"] == ["c-1"]
    assert request.headers["authorization"].startswith("Basic ")
    assert "client_secret" not in form
    assert request.url.query == b""


@pytest.mark.parametrize(
    "parameters",
    [{"state": "st"}, {"state": "st", "code": ""}, {"state": "st", "code": "c" * 5000}],
)
async def test_a_callback_without_a_code_is_not_followed(
    sso: Sso, answers: Answers, parameters: dict[str, str]
) -> None:
    with pytest.raises(Malformed):
        await sso.sign_in_finish(REQUEST, parameters)

    assert not answers.token.called


async def test_an_unknown_error_from_the_callback_is_not_repeated(sso: Sso) -> None:
    with pytest.raises(Rejected) as raised:
        await sso.sign_in_finish(REQUEST, {"state": "st", "error": "<img src=x>"})

    assert "<" not in str(raised.value)


async def test_a_refused_token_is_logged_by_reason_alone(
    sso: Sso, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    token = id_token(nonce="another")
    answers.give(token)
    with caplog.at_level("DEBUG"):
        await refused(sso)

    lines = json.dumps([record.__dict__ for record in caplog.records], default=str)
    assert "id_token_refused" in lines
    assert token not in lines
    assert SECRET not in lines
    assert "li@example.com" not in lines
