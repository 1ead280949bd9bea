"""People and inboxes as clients read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel

from deskhub.chat.forms import checked_answers, read_form
from deskhub.clock import rfc3339
from deskhub.config import Inbox
from deskhub.edge.opening import opening
from deskhub.errors import HubError
from deskhub.identity.model import Role
from deskhub.identity.records import Agent, Status, Tokens
from deskhub.store import inboxes, prechat, rows
from deskhub.store.tx import Connection

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

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
    """What the widget has to know about its inbox.

    *mail* and *push* say whether the hub sends any, *rating* whether customers are asked how
    it was; *page* is where the chat has a page of its own. *away* says that nobody answers
    now, *opens_at* from when on somebody does. *prechat* is the form that this visitor has to
    fill in before the first message, null when there is nothing to fill in.
    """

    inbox: str
    name: str
    languages: list[str]
    greeting: str
    team: list[Member]
    accent: str
    mail: bool
    rating: bool
    push: bool
    page: str
    away: bool
    opens_at: str | None
    prechat: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Here:
    """What an inbox asks of a visitor: *rating* after a closing, *prechat* before a message."""

    rating: bool
    prechat: dict[str, Any] | None


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
    hub: Hub, inbox: Inbox, agents: Sequence[Agent], language: str | None, here: Here
) -> SettingsView:
    """Return *inbox* for a visitor who reads *language*; *agents* are the tenant's."""
    answering = [one for one in agents if one.role in ("agent", "supervisor")]
    team = [one for one in answering if one.inboxes is None or inbox.id in one.inboxes]
    now = opening(hub, inbox, agents)
    return SettingsView(
        inbox=inbox.key,
        name=inbox.name,
        languages=list(inbox.languages),
        greeting=in_language(inbox.greeting, language, inbox.languages),
        team=[Member(name=one.name) for one in team[:TEAM_SHOWN]],
        accent=inbox.accent,
        mail=hub.mail.is_on,
        rating=here.rating,
        push=hub.push.is_on,
        page=f"/c/{quote(inbox.key, safe='')}",
        away=now.away,
        opens_at=rfc3339(now.opens_at) if now.opens_at else None,
        prechat=here.prechat,
    )


def here_of(connection: Connection, tenant: str, inbox: str, visitor: str) -> Here:
    """Return what *inbox* asks of *visitor* now."""
    decided = inboxes.setting(connection, tenant, inbox)
    form = decided.prechat
    if form is None or not needs_prechat(connection, tenant, visitor, form):
        return Here(decided.asks_rating, None)
    return Here(decided.asks_rating, dict(form))


def needs_prechat(
    connection: Connection, tenant: str, visitor: str, form: Mapping[str, Any]
) -> bool:
    """Return whether *visitor* could not write now, as the rules would say."""
    if rows.customer_of_visitor(connection, tenant, visitor) is not None:
        return False
    talk = rows.open_conversation_of(connection, tenant, visitor)
    if talk is not None and talk.state != "closed":
        return False
    try:
        checked_answers(read_form(form), prechat.answers_of(connection, tenant, visitor))
    except HubError:
        return True
    return False


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
