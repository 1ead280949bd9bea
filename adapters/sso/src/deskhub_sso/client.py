"""The border to the provider: discovery, keys, code exchange; foreign errors become ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from pydantic import BaseModel, ConfigDict, ValidationError

from deskhub_sdk import (
    AuthRequired,
    ConfigInvalid,
    Malformed,
    Rejected,
    SignInRequest,
    Throttled,
    Unavailable,
)
from deskhub_sso.settings import SsoConfig, origin_of
from deskhub_sso.tokens import SigningKey, import_keys

CALL_S = 2.0
KEPT_S = 3600.0
MAX_ANSWER_BYTES = 1_000_000
_TIMEOUT = httpx2.Timeout(CALL_S, connect=1.5)


class Discovery(BaseModel):
    """The part of the provider's discovery document that is used."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False


class Tokens(BaseModel):
    """What the token endpoint answered."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id_token: str
    access_token: str | None = None


class Provider:
    """One OpenID Connect provider; every address it names is checked before it is called."""

    def __init__(self, config: SsoConfig) -> None:
        """Remember where the provider is; nothing is called yet."""
        self._config = config
        self._guard = _Guard(httpx2.AsyncHTTPTransport(trust_env=False), config.origins)
        self._http = httpx2.AsyncClient(
            transport=self._guard, timeout=_TIMEOUT, trust_env=False
        )
        self._lock = asyncio.Lock()
        self._found: tuple[float, Discovery] | None = None
        self._keys: tuple[float, tuple[SigningKey, ...]] | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
        await self._guard.close()

    async def discovery(self, *, fresh: bool = False) -> Discovery:
        """Return the discovery document, at most an hour old.

        Raises `ConfigInvalid` when it is another issuer's or names addresses elsewhere.
        """
        async with self._lock:
            if fresh or self._found is None or self._found[0] < monotonic():
                url = f"{self._config.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = self._checked(await self._read(url))
                self._found = (monotonic() + KEPT_S, found)
            return self._found[1]

    async def keys(
        self, *, newer_than: tuple[SigningKey, ...] | None = None
    ) -> tuple[SigningKey, ...]:
        """Return the provider's signing keys, at most an hour old.

        With *newer_than* set to keys that did not fit, the provider is asked again, once for
        all sign-ins that wait: this is how a rotation is noticed.
        """
        found = await self.discovery()
        async with self._lock:
            if self._keys is None or self._keys[0] < monotonic() or self._keys[1] is newer_than:
                document = await self._read(found.jwks_uri)
                try:
                    keys = import_keys(document)
                except ValueError as error:
                    raise Malformed(f"{found.jwks_uri} is not a key set") from error
                self._keys = (monotonic() + KEPT_S, keys)
            return self._keys[1]

    async def authorization_url(self, request: SignInRequest) -> str:
        """Return where to send the browser, with state, nonce and the PKCE challenge."""
        found = await self.discovery()
        async with self._oauth(request) as oauth:
            url, _ = oauth.create_authorization_url(  # type: ignore[no-untyped-call]  # authlib
                found.authorization_endpoint,
                state=request.state,
                code_verifier=request.code_verifier,
                nonce=request.nonce,
            )
        return str(url)

    async def exchange(self, request: SignInRequest, code: str) -> Tokens:
        """Exchange the one-time *code*; it is sent once, since a repetition must be refused.

        Raises `Rejected` when the code does not hold, `AuthRequired` when this hub's own
        credentials do not.
        """
        found = await self.discovery()
        async with self._oauth(request) as oauth, _translated(found.token_endpoint):
            answer: Mapping[str, Any] = await oauth.fetch_token(  # type: ignore[no-untyped-call]
                found.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=request.code_verifier,
            )
        try:
            return Tokens.model_validate(dict(answer))
        except ValidationError as error:
            raise Malformed(f"{found.token_endpoint} answered without an ID token") from error

    async def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """Return further claims, or none when the provider has no such address to call."""
        found = await self.discovery()
        url = found.userinfo_endpoint
        if url is None or origin_of(url) not in self._config.origins:
            return {}
        answer = await self._read(url, headers={"Authorization": f"Bearer {access_token}"})
        if not isinstance(answer, dict):
            raise Malformed(f"{url} did not answer an object")
        return answer

    @asynccontextmanager
    async def _oauth(self, request: SignInRequest) -> AsyncIterator[AsyncOAuth2Client]:
        """Give an authlib client for one sign-in: it keeps the token it fetched last."""
        client = AsyncOAuth2Client(  # type: ignore[no-untyped-call]  # authlib has no types
            client_id=self._config.client_id,
            client_secret=self._config.client_secret.get_secret_value(),
            token_endpoint_auth_method=self._config.client_auth,
            scope=" ".join(self._config.scopes),
            redirect_uri=request.redirect_uri,
            code_challenge_method="S256",
            transport=self._guard,
            timeout=_TIMEOUT,
            trust_env=False,
        )
        async with client:
            yield client

    async def _read(self, url: str, headers: Mapping[str, str] | None = None) -> object:
        async with _translated(url):
            answer = await self._http.get(url, headers=dict(headers or {}))
            answer.raise_for_status()
            return answer.json()

    def _checked(self, document: object) -> Discovery:
        try:
            found = Discovery.model_validate(document)
        except ValidationError as error:
            raise Malformed(
                f"{self._config.issuer} has no usable discovery document"
            ) from error
        if found.issuer != self._config.issuer:
            raise ConfigInvalid(
                f"the provider calls itself {found.issuer!r}, the settings say"
                f" {self._config.issuer!r}; both must be the same, also in the last slash"
            )
        methods = found.code_challenge_methods_supported
        if methods is not None and "S256" not in methods:
            raise ConfigInvalid(f"{found.issuer} cannot do PKCE with S256, which is required")
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            self._check_origin(url)
        return found

    def _check_origin(self, url: str) -> None:
        try:
            origin = origin_of(url)
        except ValueError as error:
            raise ConfigInvalid(
                f"{self._config.issuer} names an unsafe address: {error}"
            ) from error
        if origin not in self._config.origins:
            raise ConfigInvalid(
                f"{self._config.issuer} names an address at {origin}; if it belongs to the"
                " provider, list it in extra_origins"
            )


class _Guard(httpx2.AsyncBaseTransport):
    """The last look at every request: known origin, plain body, bounded answer."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, origins: frozenset[str]) -> None:
        self._inner = inner
        self._origins = origins

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if origin_of(str(request.url)) not in self._origins:
            raise ConfigInvalid(f"{request.url.host} is not an address of the provider")
        # A few kilobytes are no reason to unpack what a stranger packed.
        request.headers["Accept-Encoding"] = "identity"
        answer = await self._inner.handle_async_request(request)
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise Malformed(f"{request.url.host} answered packed, though asked not to")
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise Malformed(
                        f"{request.url.host} answered over {MAX_ANSWER_BYTES} bytes"
                    )
        finally:
            await answer.aclose()
        return httpx2.Response(
            answer.status_code, headers=answer.headers, content=bytes(body), request=request
        )

    async def close(self) -> None:
        """Close the connections; the clients that share this guard must not."""
        await self._inner.aclose()


@asynccontextmanager
async def _translated(url: str) -> AsyncIterator[None]:
    """Bound what happens inside and turn its failures into the contract's."""
    host = httpx2.URL(url).host
    try:
        async with asyncio.timeout(CALL_S):
            yield
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise Unavailable(f"{host} did not answer within {CALL_S:g} s") from error
    except httpx2.HTTPStatusError as error:
        raise _of_status(host, error.response) from error
    except OAuthError as error:
        raise _of_oauth(host, str(error.error)) from error
    except httpx2.HTTPError as error:
        raise Unavailable(f"{host} cannot be reached") from error
    except (json.JSONDecodeError, ValueError, TypeError) as error:
        raise Malformed(f"{host} answered something that is not its protocol") from error


def _of_status(host: str, answer: httpx2.Response) -> Exception:
    status = answer.status_code
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        wait = answer.headers.get("retry-after", "")
        return Throttled(
            f"{host} asks to slow down", retry_after_s=float(wait) if wait.isdigit() else None
        )
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return AuthRequired(f"{host} refuses this hub's credentials ({status})")
    if answer.is_server_error:
        return Unavailable(f"{host} answered {status}")
    return ConfigInvalid(f"{host} answered {status}: compare the issuer with the provider's")


def _of_oauth(host: str, error: str) -> Exception:
    """Translate RFC 6749 section 5.2; the description is not shown, it may hold anything."""
    if error in ("invalid_client", "unauthorized_client"):
        return AuthRequired(f"{host} does not accept client_id and client_secret ({error})")
    if error == "invalid_grant":
        return Rejected(f"{host} does not accept this sign-in any more; start again")
    if error in ("server_error", "temporarily_unavailable", "slow_down"):
        return Unavailable(f"{host} cannot answer now ({error})")
    known = error if error.isidentifier() and len(error) <= 40 else "unknown error"
    return ConfigInvalid(f"{host} refuses the request ({known})")
