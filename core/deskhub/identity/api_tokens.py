"""Tokens for programs: named, limited to scopes, ending by themselves, hashed at rest."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta

from deskhub.clock import Clock
from deskhub.errors import NotFound, Unauthenticated
from deskhub.identity import tokens
from deskhub.identity.errors import UnknownScope
from deskhub.identity.policy import SCOPE_TABLE
from deskhub.identity.ports import ApiTokenStore
from deskhub.identity.recent import Recent
from deskhub.identity.records import ApiToken
from deskhub.ids import new_id

DAYS = 90
DAYS_MAX = 366

log = logging.getLogger("deskhub.identity")


class ApiTokens:
    """Issues tokens, recognises them, and takes them back."""

    def __init__(self, store: ApiTokenStore, clock: Clock, fresh_s: float) -> None:
        self._store = store
        self._clock = clock
        self._known: Recent[str, ApiToken | None] = Recent(clock, fresh_s)

    async def issue(
        self, tenant: str, name: str, scopes: Collection[str], *, days: int = DAYS
    ) -> tuple[ApiToken, str]:
        """Return a new token called *name* and its text, which nobody can read again.

        It ends after *days*, at most `DAYS_MAX`. Raises `UnknownScope` and `TokenNameTaken`.
        """
        unknown = sorted(set(scopes) - SCOPE_TABLE.keys())
        if unknown or not scopes:
            raise UnknownScope(", ".join(unknown))
        ends = self._clock.now() + timedelta(days=min(max(days, 1), DAYS_MAX))
        token = ApiToken(tenant, new_id("k"), name, frozenset(scopes), ends)
        text = tokens.opaque(tokens.API_PREFIX)
        await self._store.add_api_token(token, tokens.digest(text))
        log.info("api_token_issued", extra={"tenant": tenant, "token_name": name})
        return token, text

    async def all(self, tenant: str) -> Sequence[ApiToken]:
        """Return the tenant's tokens, by name, also those that have ended."""
        return await self._store.api_tokens(tenant)

    async def revoke(self, tenant: str, name: str) -> ApiToken:
        """Take the token called *name* back. Raises `NotFound`.

        A running hub refuses it two seconds later at most.
        """
        found = await self._store.revoke_api_token(tenant, name)
        if found is None:
            raise NotFound(f"API token {name}")
        self._known.clear()
        log.info("api_token_revoked", extra={"tenant": tenant, "token_name": name})
        return found

    async def by_token(self, text: str) -> ApiToken:
        """Return the token whose text this is. Raises `Unauthenticated`."""
        if len(text) > tokens.MAX_TOKEN_CHARS:
            raise Unauthenticated("token too long")
        found = await self.by_digest(tokens.digest(text))
        if found is None:
            raise Unauthenticated("unknown, revoked or expired API token")
        return found

    async def by_digest(self, digest: str) -> ApiToken | None:
        """Return the token with *digest* while it holds."""
        found = await self._known.get(digest, lambda: self._store.api_token_by_digest(digest))
        return found if found is not None and found.expires_at > self._clock.now() else None
