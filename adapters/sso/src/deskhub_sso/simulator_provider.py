"""A small real OpenID Connect provider: code flow, PKCE, signed tokens, rotating keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from deskhub_sso.simulator_page import HEADERS, message_page, sign_in_page
from deskhub_sso.simulator_people import Person, person

CODE_S = 60
TOKEN_S = 300
MAX_PENDING = 1000


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked authorization request."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    challenge: str


@dataclass(slots=True)
class Grant:
    """A code that was given out; *used* remembers that it came back."""

    ask: Ask
    person: Person
    until: float
    used: bool = False


@dataclass(slots=True)
class Provider:
    """The provider's state. *redirect_uris* empty means: any address on loopback.

    *address* gives the issuer once it is known, *count* is told of every effect.
    """

    address: Callable[[], str]
    count: Callable[[str], None]
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...] = ()
    auto: Person | None = None
    signer: RSAKey = field(init=False)
    keys: list[RSAKey] = field(default_factory=list)
    asks: dict[str, Ask] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, tuple[Person, float]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """Return how the provider calls itself."""
        return self.address()

    def forget(self) -> None:
        """Start over: no codes, no tokens, a new key."""
        self.auto = None
        self.signer = _new_key()
        self.keys = [self.signer]
        for kept in (self.asks, self.grants, self.tokens):
            kept.clear()

    def rotate(self, *, keep: bool, publish: bool) -> str:
        """Sign with a new key from now on.

        The old one stays published only with *keep*; without *publish* the new one is not,
        as with a provider whose key set lags behind.
        """
        key = _new_key()
        self.signer = key
        old = self.keys if keep or not publish else []
        self.keys = [key, *old] if publish else old
        self.count("keys_rotated")
        return str(key.kid)

    async def discovery(self, _: web.Request) -> web.Response:
        """Answer the discovery document."""
        issuer = self.issuer
        return web.json_response(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "end_session_endpoint": f"{issuer}/end-session",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_basic", "client_secret_post",
                ],
                "authorization_response_iss_parameter_supported": True,
            }
        )  # fmt: skip

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Ask who signs in, or answer at once for a known hint or a test's *auto*."""
        query = request.query
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id or not self._may_return_to(redirect_uri):
            # Never redirect to an address that was not registered.
            return _page(message_page("This link does not work", "Unknown application."), 400)
        mistake = _mistake(query)
        if mistake:
            return _back(redirect_uri, {"error": mistake, "state": query.get("state", "")})
        ask = Ask(
            self.client_id, redirect_uri, query.get("state", ""), query.get("nonce", ""),
            query["code_challenge"],
        )  # fmt: skip
        known = self.auto or person(query.get("login_hint", ""))
        if known is not None:
            return self._grant(ask, known)
        request_id = secrets.token_urlsafe(16)
        self.asks[request_id] = ask
        while len(self.asks) > MAX_PENDING:
            self.asks.pop(next(iter(self.asks)))
        zh = request.headers.get("Accept-Language", "").lower().startswith("zh")
        return _page(sign_in_page(request_id, "Deskhub", zh=zh))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Take the person that was chosen; an empty choice is a refusal."""
        form = await request.post()
        ask = self.asks.pop(str(form.get("request", "")), None)
        if ask is None:
            return _page(message_page("This page is too old", "Start again from Deskhub."), 400)
        chosen = person(str(form.get("person", "")))
        if chosen is None:
            return self._answer(ask, {"error": "access_denied"})
        return self._grant(ask, chosen)

    async def token(self, request: web.Request) -> web.Response:
        """Exchange a code once: client, redirect address and PKCE verifier must fit."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not self._is_client(request.headers.get("Authorization", ""), form):
            return _error("invalid_client", 401)
        if form.get("grant_type") != "authorization_code":
            return _error("unsupported_grant_type")
        grant = self.grants.get(form.get("code", ""))
        if grant is None or grant.used or grant.until < time.time():
            return _error("invalid_grant")
        grant.used = True
        ask = grant.ask
        challenge = _s256(form.get("code_verifier", ""))
        if form.get("redirect_uri") != ask.redirect_uri or challenge != ask.challenge:
            return _error("invalid_grant")
        access_token = secrets.token_urlsafe(32)
        self.tokens[access_token] = (grant.person, time.time() + TOKEN_S)
        self.count("tokens_issued")
        return web.json_response(
            {
                "access_token": access_token,
                "token_type": "Bearer",
                "expires_in": TOKEN_S,
                "id_token": self.id_token(grant.person, ask.nonce, access_token),
            },
            headers={"Cache-Control": "no-store"},
        )

    def id_token(self, who: Person, nonce: str, access_token: str) -> str:
        """Return a signed ID token for *who*."""
        now = int(time.time())
        key = self.signer
        claims: dict[str, Any] = {
            **who.claims(),
            "iss": self.issuer,
            "aud": self.client_id,
            "azp": self.client_id,
            "iat": now,
            "exp": now + TOKEN_S,
            "nonce": nonce,
            "at_hash": _s256(access_token, half=True),
        }
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "JWT"}, claims, key)

    async def jwks(self, _: web.Request) -> web.Response:
        """Answer the public keys."""
        self.count("keys_read")
        return web.json_response(KeySet(list(self.keys)).as_dict(private=False))

    async def userinfo(self, request: web.Request) -> web.Response:
        """Answer the claims of an access token's person."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        who, until = self.tokens.get(token, (None, 0.0))
        if who is None or until < time.time():
            return _error("invalid_token", 401)
        return web.json_response(who.claims())

    async def end_session(self, _: web.Request) -> web.Response:
        """Say that the person is signed out; there is no session to keep here."""
        return _page(message_page("You are signed out", "You can close this window."))

    def _grant(self, ask: Ask, who: Person) -> web.StreamResponse:
        code = secrets.token_urlsafe(24)
        self.grants[code] = Grant(ask, who, time.time() + CODE_S)
        while len(self.grants) > MAX_PENDING:
            self.grants.pop(next(iter(self.grants)))
        self.count("codes_issued")
        return self._answer(ask, {"code": code})

    def _answer(self, ask: Ask, values: Mapping[str, str]) -> web.StreamResponse:
        return _back(ask.redirect_uri, {**values, "state": ask.state, "iss": self.issuer})

    def _may_return_to(self, redirect_uri: str) -> bool:
        if self.redirect_uris:
            return redirect_uri in self.redirect_uris
        return urlsplit(redirect_uri).hostname in ("127.0.0.1", "localhost", "::1")

    def _is_client(self, authorization: str, form: Mapping[str, str]) -> bool:
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        if authorization.startswith("Basic "):
            raw = base64.b64decode(authorization[6:] + "==").decode("utf-8", "replace")
            name, _, secret = raw.partition(":")
            given = (unquote(name), unquote(secret))
        wanted = (self.client_id, self.client_secret)
        return hmac.compare_digest("\n".join(given).encode(), "\n".join(wanted).encode())


def _new_key() -> RSAKey:
    kid = f"sim-{secrets.token_hex(4)}"
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


def _mistake(query: Mapping[str, str]) -> str | None:
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in query.get("scope", "").split():
        return "invalid_scope"
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        return "invalid_request"
    return None


def _s256(value: str, *, half: bool = False) -> str:
    digest = hashlib.sha256(value.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16] if half else digest).rstrip(b"=").decode()


def _back(redirect_uri: str, values: Mapping[str, str]) -> web.StreamResponse:
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return web.Response(
        status=303, headers={"Location": f"{redirect_uri}{joint}{urlencode(values)}", **HEADERS}
    )


def _page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)


def _error(code: str, status: int = 400) -> web.Response:
    return web.json_response(
        {"error": code}, status=status, headers={"Cache-Control": "no-store"}
    )
