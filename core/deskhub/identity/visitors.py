"""Visitors: an opaque token for each browser, and the person a shop vouches for."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass

from deskhub.clock import Clock
from deskhub.errors import Unauthenticated
from deskhub.identity import tokens
from deskhub.identity.errors import IdentityRefused
from deskhub.identity.ports import VisitorStore
from deskhub.identity.recent import Recent
from deskhub.identity.records import Claim, Known, Visitor
from deskhub.ids import new_id

log = logging.getLogger("deskhub.identity")


@dataclass(frozen=True, slots=True)
class Entrance:
    """The facts about an inbox that decide who comes in."""

    tenant: str
    inbox: str
    identity_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A visitor who may come in, with the token to use from now on.

    *claim* is what the shop signed this time.
    """

    visitor: Visitor
    token: str
    claim: Claim | None = None


class Visitors:
    """Lets visitors in and remembers them by the hash of their token."""

    def __init__(self, store: VisitorStore, clock: Clock, fresh_s: float) -> None:
        self._store = store
        self._clock = clock
        self._by_digest: Recent[str, Visitor | None] = Recent(clock, fresh_s)
        self._by_id: Recent[tuple[str, str], Visitor | None] = Recent(clock, fresh_s)

    async def by_token(self, token: str) -> Visitor:
        """Return the visitor of *token*. Raises `Unauthenticated`."""
        if len(token) > tokens.MAX_TOKEN_CHARS:
            raise Unauthenticated("token too long")
        key = tokens.digest(token)
        found = await self._by_digest.get(key, lambda: self._store.visitor_by_digest(key))
        if found is None:
            raise Unauthenticated("unknown visitor token")
        return found

    async def current(self, tenant: str, visitor: str) -> Visitor | None:
        """Return a visitor as it is now, give or take two seconds."""
        return await self._by_id.get(
            (tenant, visitor), lambda: self._store.visitor(tenant, visitor)
        )

    def forget(self, tenant: str, visitor: str) -> None:
        """Ask anew for a visitor whose access ended, by id and by token."""
        self._by_id.forget((tenant, visitor))
        self._by_digest.forget_where(
            lambda _, known: known is not None and (known.tenant, known.id) == (tenant, visitor)
        )

    async def arrive(
        self,
        entrance: Entrance,
        *,
        identity: str | None = None,
        token: str | None = None,
        language: str | None = None,
    ) -> Arrival:
        """Let a browser in at *entrance*.

        *token* is what it got last time: with it a visitor continues, and an anonymous one
        brings its conversation along when *identity* is new. A token that is unknown or of
        another inbox starts a new visitor. Another person's *identity* starts a new visitor
        too, so that nobody reads what the person before wrote. On another device the same
        *identity* continues the same conversation.
        Raises `IdentityRefused` when *identity* does not hold.
        """
        before = await self._before(entrance, token)
        if identity is None:
            if before is not None and token is not None:
                return Arrival(before, token)
            return await self._anonymous(entrance, language)
        claim = self._claim(entrance, identity)
        if before is not None and before.subject not in (None, claim.subject):
            before = None
        return await self._identified(entrance, claim, before, language, token)

    async def enrich(self, visitor: Visitor, known: Known) -> None:
        """Add what business systems know to the customer behind *visitor*."""
        if visitor.customer is not None and (known.facts or known.tags):
            await self._store.enrich(visitor.tenant, visitor.customer, known)

    async def _before(self, entrance: Entrance, token: str | None) -> Visitor | None:
        if token is None or not token.startswith(tokens.VISITOR_PREFIX):
            return None
        # Not from memory: a token that was replaced a second ago proves nothing.
        found = await self._store.visitor_by_digest(tokens.digest(token))
        at = (entrance.tenant, entrance.inbox)
        return found if found is not None and (found.tenant, found.inbox) == at else None

    def _claim(self, entrance: Entrance, identity: str) -> Claim:
        if entrance.identity_secret is None:
            raise IdentityRefused("this inbox has no identity_secret")
        now = self._clock.now()
        return tokens.read_identity(identity, entrance.identity_secret, entrance.inbox, now)

    async def _anonymous(self, entrance: Entrance, language: str | None) -> Arrival:
        visitor = _new(entrance, language)
        token = tokens.opaque(tokens.VISITOR_PREFIX)
        await self._store.add_visitor(visitor, tokens.digest(token))
        return Arrival(visitor, token)

    async def _identified(
        self,
        entrance: Entrance,
        claim: Claim,
        before: Visitor | None,
        language: str | None,
        old_token: str | None,
    ) -> Arrival:
        visitor = before or _new(entrance, language)
        visitor = dataclasses.replace(
            visitor,
            subject=claim.subject,
            name=claim.name or visitor.name,
            language=claim.language or visitor.language,
        )
        token = tokens.opaque(tokens.VISITOR_PREFIX)
        stored = await self._store.identify(
            visitor,
            claim,
            new_digest=tokens.digest(token),
            # Only a token that was proven to be this visitor's ends here.
            old_digest=tokens.digest(old_token) if before and old_token else None,
            new_id=new_id("cu"),
        )
        self._by_digest.forget_where(
            lambda _, known: known is not None and known.id in (stored.id, visitor.id)
        )
        self._by_id.forget((stored.tenant, stored.id))
        log.info("visitor_identified", extra={"tenant": stored.tenant, "visitor": stored.id})
        return Arrival(stored, token, claim)


def _new(entrance: Entrance, language: str | None) -> Visitor:
    return Visitor(
        tenant=entrance.tenant, id=new_id("v"), inbox=entrance.inbox, language=language
    )
