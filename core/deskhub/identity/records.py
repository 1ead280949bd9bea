"""What identity remembers about people: agents, their sessions, visitors, customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deskhub.identity.model import Principal, Role

Status = Literal["online", "away"]


@dataclass(frozen=True, slots=True)
class Agent:
    """A person of the console. *inboxes* None means all inboxes of the tenant."""

    tenant: str
    id: str
    email: str
    name: str
    role: Role
    status: Status = "online"
    capacity: int = 5
    inboxes: tuple[str, ...] | None = None
    active: bool = True
    version: int = 1
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of an agent; *version* is the agent's when it began."""

    tenant: str
    id: str
    agent: str
    version: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser in the widget. *subject* is set once the shop vouched for the person."""

    tenant: str
    id: str
    inbox: str
    version: int = 1
    subject: str | None = None
    customer: str | None = None
    name: str | None = None
    language: str | None = None

    def principal(self) -> Principal:
        """Return this visitor as an actor; it has exactly its own inbox."""
        return Principal(
            tenant=self.tenant,
            kind="visitor",
            id=self.id,
            name=self.name or "",
            inboxes=frozenset({self.inbox}),
            session=self.id,
            version=self.version,
        )


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What a program signs in with; *scopes* are names of the policy's scope table."""

    tenant: str
    id: str
    name: str
    scopes: frozenset[str]
    expires_at: datetime

    def principal(self, digest: str) -> Principal:
        """Return the program as an actor; *digest* finds the token again."""
        return Principal(
            tenant=self.tenant,
            kind="token",
            id=self.id,
            name=self.name,
            grants=self.scopes,
            session=digest,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """What a shop's server signed about a person; *subject* is its customer number."""

    subject: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What business systems know about a customer: *facts* by field name, and tags."""

    facts: Mapping[str, str]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What a sign-in provider vouches for; (*issuer*, *subject*) is the account's only key."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    tenant: str | None = None
    groups: tuple[str, ...] = ()
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in hands out: a short access token and the next refresh token."""

    access: str
    refresh: str
    expires_in: int
    agent: Agent


def agent_principal(agent: Agent, session: str) -> Principal:
    """Return *agent* as an actor in *session*."""
    return Principal(
        tenant=agent.tenant,
        kind="agent",
        id=agent.id,
        name=agent.name,
        role=agent.role,
        inboxes=None if agent.inboxes is None else frozenset(agent.inboxes),
        session=session,
        version=agent.version,
    )
