"""People and inboxes as clients read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from deskhub.config import Inbox
from deskhub.identity.model import Role
from deskhub.identity.records import Agent, Status, Tokens

TEAM_SHOWN = 5


class AgentView(BaseModel):
    """An agent as colleagues see them."""

    id: str
    name: str
    email: str
    role: Role
    status: Status
    capacity: int
    inboxes: list[str] | None


class SessionView(BaseModel):
    """What a sign-in gives: an access token for *expires_in* seconds, and how to renew it."""

    access: str
    refresh: str
    expires_in: int
    agent: AgentView


class Member(BaseModel):
    """Somebody of the team, as customers see them."""

    name: str


class SettingsView(BaseModel):
    """What the widget has to know about its inbox; *mail* says whether the hub sends any."""

    inbox: str
    name: str
    languages: list[str]
    greeting: str
    team: list[Member]
    accent: str
    mail: bool


class Person(BaseModel):
    """The customer behind a visitor, as they see themselves."""

    name: str | None


class Named(BaseModel):
    """A provider on the sign-in page."""

    instance: str
    name: str


class WaysView(BaseModel):
    """How one can sign in here."""

    password: Literal[True] = True
    sso: list[Named]


def agent_view(agent: Agent) -> AgentView:
    """Return *agent* without what is nobody's business."""
    return AgentView(
        id=agent.id,
        name=agent.name,
        email=agent.email,
        role=agent.role,
        status=agent.status,
        capacity=agent.capacity,
        inboxes=None if agent.inboxes is None else list(agent.inboxes),
    )


def session_view(tokens: Tokens) -> SessionView:
    """Return *tokens* with their agent."""
    return SessionView(
        access=tokens.access,
        refresh=tokens.refresh,
        expires_in=tokens.expires_in,
        agent=agent_view(tokens.agent),
    )


def settings_view(
    inbox: Inbox, agents: Sequence[Agent], language: str | None, *, mail: bool
) -> SettingsView:
    """Return *inbox* for a visitor who reads *language*; *agents* are the tenant's."""
    answering = [one for one in agents if one.role in ("agent", "supervisor")]
    team = [one for one in answering if one.inboxes is None or inbox.id in one.inboxes]
    return SettingsView(
        inbox=inbox.key,
        name=inbox.name,
        languages=list(inbox.languages),
        greeting=in_language(inbox.greeting, language, inbox.languages),
        team=[Member(name=one.name) for one in team[:TEAM_SHOWN]],
        accent=inbox.accent,
        mail=mail,
    )


def in_language(texts: dict[str, str], language: str | None, order: Sequence[str]) -> str:
    """Return the text for *language*, else for its main part, else in the inbox's order."""
    wanted = [language or "", (language or "").partition("-")[0], *order]
    for name in wanted:
        for known, text in texts.items():
            if name and (known == name or known.partition("-")[0] == name):
                return text
    return next(iter(texts.values()), "")


def preferred_language(accept: str, offered: Sequence[str]) -> str | None:
    """Return the first offered language that an Accept-Language header asks for."""
    for part in accept[:200].split(","):
        wanted = part.partition(";")[0].strip().lower()
        for name in offered:
            if wanted and (name.lower() == wanted or name.lower()[:2] == wanted[:2]):
                return name
    return offered[0] if offered else None
