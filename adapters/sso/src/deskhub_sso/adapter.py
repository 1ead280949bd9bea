"""Sign agents in with the company's own accounts (OpenID Connect, code flow with PKCE)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from deskhub_sdk import (
    Adapter,
    AdapterError,
    Context,
    Forged,
    Health,
    Malformed,
    Meta,
    Permissions,
    Rejected,
    SignedOut,
    SignInRequest,
    SignInResult,
    Unavailable,
    hookimpl,
)
from deskhub_sso.client import Provider, Tokens
from deskhub_sso.mapping import identity_of, is_complete
from deskhub_sso.settings import SsoConfig
from deskhub_sso.texts import TEXTS, text
from deskhub_sso.tokens import (
    Claims,
    SigningKey,
    TokenInvalid,
    UnknownKey,
    verify_id_token,
    verify_logout_token,
)

# The hooks' deadline is 5 s; ours is shorter, so that the agent reads what was slow.
SIGN_IN_S = 4.5
MAX_CODE_CHARS = 4096
Keys = tuple[SigningKey, ...]


class Sso(Adapter[SsoConfig]):
    """One OpenID Connect provider: Keycloak, Entra, Okta, or any that keeps to the standard."""

    meta = Meta(
        id="sso",
        name="Single sign-on",
        sdk=">=1.0,<2",
        summary="Agents sign in with their company account (OpenID Connect).",
        permissions=Permissions(net=("{config.issuer}",), sockets=True),
        texts=TEXTS,
    )
    config_model = SsoConfig

    async def start(self, ctx: Context) -> None:
        """Prepare the client. A provider that is down now does not stop later sign-ins."""
        await super().start(ctx)
        self._provider = Provider(self.config)

    async def stop(self) -> None:
        """Close the connections to the provider."""
        await self._provider.close()

    async def check_connection(self) -> Health:
        """Read the discovery document and the keys anew."""
        now = self.ctx.clock.now()
        try:
            async with asyncio.timeout(SIGN_IN_S):
                await self._provider.discovery(fresh=True)
                keys = await self._provider.keys()
        except TimeoutError:
            return Health(ok=False, text=f"{self.config.issuer} is too slow", checked_at=now)
        except AdapterError as error:
            return Health(ok=False, text=str(error), checked_at=now)
        key = "sign_in.ready" if keys else "sign_in.no_keys"
        return Health(ok=bool(keys), text=text(self.ctx.language, key), checked_at=now)

    @hookimpl
    async def sign_in_start(self, request: SignInRequest) -> str:
        """Return the provider's sign-in page for this browser's state and nonce."""
        async with asyncio.timeout(SIGN_IN_S):
            return await self._provider.authorization_url(request)

    @hookimpl
    async def sign_in_finish(
        self, request: SignInRequest, parameters: Mapping[str, str]
    ) -> SignInResult:
        """Exchange the callback for an identity that the provider signed.

        Raises `Rejected` when the provider or the person said no, `Forged` when something
        does not fit together, and `AuthRequired` or `ConfigInvalid` for the admin.
        """
        try:
            async with asyncio.timeout(SIGN_IN_S):
                return await self._finish(request, parameters)
        except TokenInvalid as error:
            self.ctx.log.warning("id_token_refused", extra={"reason": error.reason})
            raise
        except TimeoutError as error:
            raise Unavailable(f"{self.config.issuer} took over {SIGN_IN_S:g} s") from error

    @hookimpl
    async def sign_out_announced(self, parameters: Mapping[str, str]) -> SignedOut:
        """Return whom the provider's signed announcement names (Back-Channel Logout).

        Raises `Forged` when it does not hold.
        """
        token = parameters.get("logout_token", "")
        try:
            async with asyncio.timeout(SIGN_IN_S):
                claims = await self._with_newest_keys(partial(self._logout, token))
        except TokenInvalid as error:
            self.ctx.log.warning("logout_token_refused", extra={"reason": error.reason})
            raise
        except TimeoutError as error:
            raise Unavailable(f"{self.config.issuer} took over {SIGN_IN_S:g} s") from error
        return SignedOut(
            issuer=claims["iss"],
            token=claims["jti"],
            subject=claims.get("sub"),
            session=claims.get("sid"),
        )

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        """Return the provider's addresses and key ids; nothing about people."""
        found = await self._provider.discovery()
        keys = await self._provider.keys()
        return {
            "issuer": found.issuer,
            "preset": self.config.preset,
            "scopes": list(self.config.scopes),
            "authorization_endpoint": found.authorization_endpoint,
            "keys": [str(key.kid) for key in keys],
        }

    async def _finish(
        self, request: SignInRequest, parameters: Mapping[str, str]
    ) -> SignInResult:
        code = await self._code(request, parameters)
        tokens = await self._provider.exchange(request, code)
        claims = await self._verified(request, tokens)
        preset = self.config.claims
        if tokens.access_token and not is_complete(claims, preset):
            claims = await self._with_userinfo(claims, tokens.access_token)
        result = identity_of(claims, preset, self.config.tenants)
        self.ctx.log.info("id_token_accepted", extra={"groups": len(result.groups)})
        return result

    async def _code(self, request: SignInRequest, parameters: Mapping[str, str]) -> str:
        """Return the callback's code after state and issuer fit (RFC 9207)."""
        state = parameters.get("state", "")
        if not request.state or not hmac.compare_digest(state.encode(), request.state.encode()):
            raise Forged("the callback belongs to another sign-in")
        found = await self._provider.discovery()
        issuer = parameters.get("iss")
        if issuer is None and found.authorization_response_iss_parameter_supported:
            raise Forged("the callback does not say which provider sent it")
        if issuer is not None and issuer != found.issuer:
            raise Forged("the callback is another provider's")
        if "error" in parameters:
            raise Rejected(_refusal(parameters["error"]))
        code = parameters.get("code", "")
        if not code or len(code) > MAX_CODE_CHARS:
            raise Malformed("the callback has no code")
        return code

    async def _verified(self, request: SignInRequest, tokens: Tokens) -> Claims:
        return await self._with_newest_keys(partial(self._verify, request, tokens))

    async def _with_newest_keys(self, verify: Callable[[Keys], Claims]) -> Claims:
        """Verify with the keys at hand; once more with the provider's present ones."""
        keys = await self._provider.keys()
        try:
            return verify(keys)
        except UnknownKey:
            return verify(await self._provider.keys(newer_than=keys))

    def _logout(self, token: str, keys: Keys) -> Claims:
        return verify_logout_token(
            token, keys, issuer=self.config.issuer, client_id=self.config.client_id,
            now=self.ctx.clock.now(),
        )  # fmt: skip

    def _verify(self, request: SignInRequest, tokens: Tokens, keys: Keys) -> Claims:
        return verify_id_token(
            tokens.id_token,
            keys,
            issuer=self.config.issuer,
            client_id=self.config.client_id,
            nonce=request.nonce,
            now=self.ctx.clock.now(),
            access_token=tokens.access_token,
        )

    async def _with_userinfo(self, claims: Claims, access_token: str) -> Claims:
        """Add what the ID token left out; what is signed always wins."""
        more = await self._provider.userinfo(access_token)
        if more and more.get("sub") != claims["sub"]:
            raise Forged("the provider's userinfo is about somebody else")
        return {**more, **claims}


def _refusal(error: str) -> str:
    """Return a sentence for the provider's *error*; unknown ones are not repeated."""
    if error == "access_denied":
        return "the provider did not let this person in"
    if error in ("login_required", "interaction_required", "consent_required"):
        return "the provider wants the person to sign in again"
    return "the provider refused the sign-in"
