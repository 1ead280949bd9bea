"""Queries of API tokens, by the hash of the token and by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from deskhub.identity.errors import TokenNameTaken
from deskhub.identity.records import ApiToken
from deskhub.store.store import Store
from deskhub.store.tables.identity import api_token
from deskhub.store.tx import Tx

_T = api_token.c


class SqlApiTokens:
    """Tokens that programs present."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def api_token_by_digest(self, digest: str) -> ApiToken | None:
        """Return the token with *digest*, also one that is too old."""
        query = sa.select(api_token).where(_T.digest == digest)
        row = await self._store.read(lambda db: db.execute(query).first())
        return _token(row) if row else None

    async def api_tokens(self, tenant: str) -> Sequence[ApiToken]:
        """Return the tenant's tokens, by name, also those that are too old."""
        query = sa.select(api_token).where(_T.tenant == tenant).order_by(_T.name)
        return await self._store.read(lambda db: [_token(row) for row in db.execute(query)])

    async def add_api_token(self, token: ApiToken, digest: str) -> None:
        """Store a new token. Raises `TokenNameTaken`."""

        def work(tx: Tx) -> None:
            same = sa.select(_T.id).where(_T.tenant == token.tenant, _T.name == token.name)
            if tx.connection.execute(same).first():
                raise TokenNameTaken(token.name)
            tx.connection.execute(
                sa.insert(api_token).values(
                    tenant=token.tenant, id=token.id, name=token.name, digest=digest,
                    scopes=" ".join(sorted(token.scopes)), created_at=tx.now,
                    expires_at=token.expires_at,
                )
            )  # fmt: skip

        await self._store.transact(token.tenant, work)

    async def revoke_api_token(self, tenant: str, name: str) -> ApiToken | None:
        """Remove the token called *name* and return what it was."""

        def work(tx: Tx) -> ApiToken | None:
            where = (_T.tenant == tenant, _T.name == name)
            row = tx.connection.execute(sa.select(api_token).where(*where)).first()
            tx.connection.execute(sa.delete(api_token).where(*where))
            return _token(row) if row else None

        return await self._store.transact(tenant, work)


def _token(row: sa.Row[Any]) -> ApiToken:
    return ApiToken(
        tenant=row.tenant, id=row.id, name=row.name, scopes=frozenset(row.scopes.split()),
        expires_at=row.expires_at,
    )  # fmt: skip
