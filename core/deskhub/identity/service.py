"""Who is calling: sign-in, sessions and visitors behind one `authenticate`."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from deskhub.clock import Clock
from deskhub.errors import NotFound, Unauthenticated
from deskhub.identity import tokens
from deskhub.identity.api_tokens import ApiTokens
from deskhub.identity.attempts import Attempts
from deskhub.identity.errors import SignInRefused
from deskhub.identity.keys import KeyTable
from deskhub.identity.model import Principal, Role
from deskhub.identity.passwords import Passwords, check_strength
from deskhub.identity.ports import IdentityStore
from deskhub.identity.recent import Recent
from deskhub.identity.records import Agent, Session, Status, Tokens, agent_principal
from deskhub.identity.visitors import Visitors
from deskhub.ids import new_id

log = logging.getLogger("deskhub.identity")

SESSION_DAYS = 14
CODE_S = 60
# Another process learns of a revocation this late; this process at once.
FRESH_S = 2.0


class Identity:
    """Agents, sessions and visitors of one installation."""

    def __init__(
        self,
        store: IdentityStore,
        keys: KeyTable,
        clock: Clock,
        *,
        passwords: Passwords | None = None,
    ) -> None:
        """Take the store's side, the signing keys and the time."""
        self._store = store
        self._keys = keys
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._attempts = Attempts(clock)
        self._sessions: Recent[tuple[str, str], Agent | None] = Recent(clock, FRESH_S)
        self._listeners: list[Callable[[str, str], None]] = []
        self.visitors = Visitors(store, clock, FRESH_S)
        self.api_tokens = ApiTokens(store, clock, FRESH_S)

    # Asking who somebody is

    async def authenticate(self, token: str) -> Principal:
        """Return the actor that *token* stands for: an agent's, a visitor's or a program's.

        Raises `Unauthenticated` when it is not ours, expired or revoked; a revocation by
        another process counts after two seconds at most.
        """
        if token.startswith(tokens.VISITOR_PREFIX):
            return (await self.visitors.by_token(token)).principal()
        if token.startswith(tokens.API_PREFIX):
            return (await self.api_tokens.by_token(token)).principal(tokens.digest(token))
        claims = tokens.read_access(self._keys, token, self._clock.now())
        agent = await self._session_agent(claims.tenant, claims.session)
        if agent is None or agent.id != claims.agent or agent.version != claims.version:
            raise Unauthenticated("the session ended")
        return agent_principal(agent, claims.session)

    async def still_valid(self, principal: Principal) -> bool:
        """Return whether *principal* may go on; long connections ask this every few seconds."""
        if principal.session is None:
            return principal.kind in ("system", "adapter")
        if principal.kind == "visitor":
            visitor = await self.visitors.current(principal.tenant, principal.id)
            return visitor is not None and visitor.version == principal.version
        if principal.kind == "token":
            return await self.api_tokens.by_digest(principal.session) is not None
        agent = await self._session_agent(principal.tenant, principal.session)
        return agent is not None and agent.version == principal.version

    def on_revoked(self, listener: Callable[[str, str], None]) -> None:
        """Call *listener* with (tenant, agent or visitor id) when this process revokes one."""
        self._listeners.append(listener)

    def locked_out(self, tenant: str, visitor: str) -> None:
        """Let it count at once that *visitor*'s access ended: its row says so already."""
        self.visitors.forget(tenant, visitor)
        self._announce(tenant, visitor)

    # Sessions

    async def sign_in(
        self, email: str, password: str, *, address: str, tenant: str | None = None
    ) -> Tokens:
        """Return a session for the agent with *email* and *password*.

        Raises `SignInRefused` when they do not belong together and `SignInLocked` after too
        many wrong attempts. *tenant* is needed where one e-mail is in several.
        """
        email = email.strip().lower()
        with self._attempts.attempt(email, address) as verdict:
            found = [
                agent
                for agent in await self._store.agents_by_email(email)
                if agent.active and tenant in (None, agent.tenant)
            ]
            agent = found[0] if len(found) == 1 else None
            stored = agent.password_hash if agent else None
            if not await self._passwords.matches(password, stored) or agent is None:
                log.info("sign_in_refused", extra={"agent": agent.id if agent else None})
                raise SignInRefused
            verdict.right()
        return await self.begin(agent, how="password")

    async def begin(self, agent: Agent, *, how: str) -> Tokens:
        """Return a new session for *agent*, who was authenticated by *how*."""
        now = self._clock.now()
        session = Session(
            tenant=agent.tenant,
            id=new_id("s"),
            agent=agent.id,
            version=agent.version,
            expires_at=now + timedelta(days=SESSION_DAYS),
        )
        refresh = tokens.opaque(tokens.REFRESH_PREFIX)
        await self._store.begin_session(session, tokens.digest(refresh))
        log.info("signed_in", extra={"tenant": agent.tenant, "agent": agent.id, "how": how})
        return self._tokens(agent, session.id, refresh)

    async def refresh(self, refresh: str) -> Tokens:
        """Return new tokens for a refresh token, which is thereby used up.

        Raises `Unauthenticated`; a token that comes a second time ends the whole session.
        """
        following = tokens.opaque(tokens.REFRESH_PREFIX)
        session = await self._store.rotate(tokens.digest(refresh), tokens.digest(following))
        if session is None:
            # Whoever holds the session's access token must be out now, not in two seconds.
            self._sessions.clear()
            raise Unauthenticated("refresh token unknown, used or revoked")
        agent = await self._store.session_agent(session.tenant, session.id)
        if agent is None:
            raise Unauthenticated("the session ended")
        return self._tokens(agent, session.id, following)

    async def sign_out(self, principal: Principal) -> None:
        """End *principal*'s session on every device that shares it."""
        if principal.session is None or principal.kind != "agent":
            raise NotFound("no session to end")
        await self._store.end_session(principal.tenant, principal.session)
        self._sessions.forget((principal.tenant, principal.session))
        self._announce(principal.tenant, principal.id)

    async def hand_over(self, agent: Agent) -> str:
        """Return a code that `exchange` turns into a session once, within a minute.

        Single sign-on ends in a redirect; the code and no token stands in the address.
        """
        code = tokens.opaque(tokens.CODE_PREFIX)
        expires_at = self._clock.now() + timedelta(seconds=CODE_S)
        data = {"agent": agent.id}
        await self._store.put_once(
            agent.tenant, "exchange", tokens.digest(code), data, expires_at
        )
        return code

    async def exchange(self, code: str) -> Tokens:
        """Return the session that `hand_over` promised. Raises `Unauthenticated`."""
        data = await self._store.take_once("exchange", tokens.digest(code))
        agent = await self._store.agent(data["tenant"], data["agent"]) if data else None
        if agent is None or not agent.active:
            raise Unauthenticated("code unknown, used or too old")
        return await self.begin(agent, how="single sign-on")

    # Agents

    async def agents(self, tenant: str) -> Sequence[Agent]:
        """Return the tenant's active agents, by name."""
        return await self._store.agents(tenant)

    async def agent(self, tenant: str, agent: str) -> Agent:
        """Return an active agent. Raises `NotFound`."""
        found = await self._store.agent(tenant, agent)
        if found is None or not found.active:
            raise NotFound(f"agent {agent}")
        return found

    async def set_profile(
        self,
        principal: Principal,
        *,
        name: str | None = None,
        status: Status | None = None,
    ) -> Agent:
        """Change what an agent may change about themselves."""
        found = await self._store.set_profile(
            principal.tenant, principal.id, name=name, status=status
        )
        if found is None:
            raise NotFound(f"agent {principal.id}")
        self._forget(found)
        return found

    async def add_agent(
        self,
        *,
        tenant: str,
        email: str,
        name: str,
        role: Role,
        password: str | None,
        capacity: int = 5,
        inboxes: tuple[str, ...] | None = None,
    ) -> Agent:
        """Store a new agent; without *password* only single sign-on lets them in.

        Raises `EmailTaken` and `PasswordTooWeak`.
        """
        email = email.strip().lower()
        agent = Agent(
            tenant=tenant, id=new_id("a"), email=email, name=name.strip() or email, role=role,
            capacity=capacity, inboxes=inboxes,
        )  # fmt: skip
        if password is not None:
            check_strength(password, email)
            hashed = await self._passwords.hash(password)
            agent = dataclasses.replace(agent, password_hash=hashed)
        await self._store.add_agent(agent)
        log.info("agent_added", extra={"tenant": tenant, "agent": agent.id, "role": role})
        return agent

    async def set_password(self, tenant: str, email: str, password: str) -> Agent:
        """Set the password of the agent with *email* and end all their sessions."""
        agent = await self._by_email(tenant, email)
        check_strength(password, agent.email)
        hashed = await self._passwords.hash(password)
        return await self._end_sessions(tenant, agent.id, "password", password_hash=hashed)

    async def set_role(self, tenant: str, agent: str, role: Role) -> Agent:
        """Give *agent* another role; they sign in again with it."""
        return await self._end_sessions(tenant, agent, "role", role=role)

    async def deactivate(self, tenant: str, agent: str) -> Agent:
        """Lock *agent* out: the next request fails, open connections end within 5 s."""
        return await self._end_sessions(tenant, agent, "deactivated", active=False)

    async def sign_out_everywhere(self, tenant: str, agent: str) -> Agent:
        """End every session of *agent*."""
        return await self._end_sessions(tenant, agent, "sign_out_everywhere")

    async def _by_email(self, tenant: str, email: str) -> Agent:
        found = await self._store.agents_by_email(email.strip().lower())
        for agent in found:
            if agent.tenant == tenant:
                return agent
        raise NotFound("no agent has this e-mail")

    async def _end_sessions(
        self,
        tenant: str,
        agent: str,
        why: str,
        *,
        active: bool | None = None,
        role: Role | None = None,
        password_hash: str | None = None,
    ) -> Agent:
        found = await self._store.end_sessions(
            tenant, agent, active=active, role=role, password_hash=password_hash
        )
        if found is None:
            raise NotFound(f"agent {agent}")
        self._forget(found)
        self._announce(tenant, agent)
        log.info("sessions_ended", extra={"tenant": tenant, "agent": agent, "why": why})
        return found

    def _forget(self, agent: Agent) -> None:
        who = (agent.tenant, agent.id)
        self._sessions.forget_where(
            lambda _, known: known is not None and (known.tenant, known.id) == who
        )

    def _announce(self, tenant: str, who: str) -> None:
        for listener in self._listeners:
            listener(tenant, who)

    async def _session_agent(self, tenant: str, session: str) -> Agent | None:
        return await self._sessions.get(
            (tenant, session), lambda: self._store.session_agent(tenant, session)
        )

    def _tokens(self, agent: Agent, session: str, refresh: str) -> Tokens:
        access = tokens.sign_access(self._keys, agent, session, self._clock.now())
        return Tokens(access=access, refresh=refresh, expires_in=tokens.ACCESS_S, agent=agent)
