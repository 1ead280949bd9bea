"""What identity needs from a database; the store implements it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from deskhub.identity.model import Role
from deskhub.identity.records import Agent, ApiToken, Claim, Known, Session, Visitor


class AgentStore(Protocol):
    """Agents and their sessions. Every write is durable when it returns."""

    async def agents_by_email(self, email: str) -> Sequence[Agent]:
        """Return the agents with *email* (lower case) in any tenant; at most a few."""
        ...

    async def agent(self, tenant: str, agent: str) -> Agent | None:
        """Return an agent, also a deactivated one."""
        ...

    async def agents(self, tenant: str) -> Sequence[Agent]:
        """Return the tenant's active agents, by name."""
        ...

    async def add_agent(self, agent: Agent) -> None:
        """Store a new agent. Raises `EmailTaken`."""
        ...

    async def set_profile(
        self, tenant: str, agent: str, *, name: str | None, status: str | None
    ) -> Agent | None:
        """Change what an agent may change about themselves; None leaves it."""
        ...

    async def end_sessions(
        self,
        tenant: str,
        agent: str,
        *,
        active: bool | None = None,
        role: Role | None = None,
        password_hash: str | None = None,
    ) -> Agent | None:
        """Raise the agent's version and revoke all sessions, with the change that caused it."""
        ...

    async def linked_agent(self, tenant: str, issuer: str, subject: str) -> Agent | None:
        """Return the agent that (issuer, subject) signs in as."""
        ...

    async def link_agent(self, tenant: str, issuer: str, subject: str, agent: str) -> None:
        """Let (issuer, subject) sign in as *agent*.

        Raises `EmailTaken` when another account of that issuer is already this agent: an
        address that was given to a new person does not hand the agent over.
        """
        ...

    async def begin_session(self, session: Session, refresh_digest: str) -> None:
        """Store a session with its first refresh token."""
        ...

    async def session_agent(self, tenant: str, session: str) -> Agent | None:
        """Return the agent of a session that is neither revoked nor expired."""
        ...

    async def rotate(self, old_digest: str, new_digest: str) -> Session | None:
        """Use up a refresh token and store the next one, in one transaction.

        None when it is unknown, expired or its session revoked. A token that was used before
        revokes its session: one of its two holders stole it.
        """
        ...

    async def end_session(self, tenant: str, session: str) -> None:
        """Revoke one session."""
        ...

    async def put_once(
        self, tenant: str, purpose: str, digest: str, data: dict[str, str], expires_at: datetime
    ) -> None:
        """Store *data* that can be taken once."""
        ...

    async def take_once(self, purpose: str, digest: str) -> dict[str, str] | None:
        """Remove and return what was put, unless it is too old; with its ``tenant``."""
        ...


class VisitorStore(Protocol):
    """Visitors and the customers behind them."""

    async def visitor_by_digest(self, digest: str) -> Visitor | None:
        """Return the visitor whose token has *digest*."""
        ...

    async def visitor(self, tenant: str, visitor: str) -> Visitor | None:
        """Return a visitor."""
        ...

    async def add_visitor(self, visitor: Visitor, digest: str) -> None:
        """Store a new visitor."""
        ...

    async def identify(
        self,
        visitor: Visitor,
        claim: Claim,
        *,
        new_digest: str,
        old_digest: str | None,
        new_id: str,
    ) -> Visitor:
        """Bind *claim* to a visitor, in one transaction.

        Creates or refreshes the one customer of (tenant, subject), stores the visitor when
        it is new, adds the token of *new_digest* in place of *old_digest*, and moves its
        conversations to the customer. A visitor without conversations becomes the one that
        this person is on other devices. *new_id* is used when the customer is new.
        """
        ...

    async def enrich(self, tenant: str, customer: str, known: Known) -> None:
        """Fill what the customer's record lacks; what stands there stays. Tags are added."""
        ...


class ApiTokenStore(Protocol):
    """What programs present."""

    async def api_token_by_digest(self, digest: str) -> ApiToken | None:
        """Return the token with *digest*, also one that is too old."""
        ...

    async def api_tokens(self, tenant: str) -> Sequence[ApiToken]:
        """Return the tenant's tokens, by name, also those that are too old."""
        ...

    async def add_api_token(self, token: ApiToken, digest: str) -> None:
        """Store a new token. Raises `TokenNameTaken`."""
        ...

    async def revoke_api_token(self, tenant: str, name: str) -> ApiToken | None:
        """Remove the token called *name* and return what it was."""
        ...


class IdentityStore(AgentStore, VisitorStore, ApiTokenStore, Protocol):
    """All parts; one class of the store has them."""
