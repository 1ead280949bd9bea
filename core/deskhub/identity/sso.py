"""Single sign-on: the one-time attempt bound to a browser, and which agent an account is."""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from deskhub.clock import Clock
from deskhub.identity import tokens
from deskhub.identity.errors import RoleUnmapped, SsoFailed
from deskhub.identity.model import Role
from deskhub.identity.ports import IdentityStore
from deskhub.identity.records import Account, Agent
from deskhub.identity.service import SESSION_DAYS, Identity

log = logging.getLogger("deskhub.identity")

ATTEMPT_S = 10 * 60
# What `put_once` keeps: the provider's sessions, and announcements that were used.
SESSION, ANNOUNCED = "sso_session", "sso_announced"
# Where several groups give roles, the strongest one counts.
_STRENGTH: tuple[Role, ...] = ("admin", "supervisor", "agent", "auditor")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the provider and the browser must bring back; PKCE keeps the *verifier* here."""

    instance: str
    redirect_uri: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Provider:
    """A configured way to sign in, as the sign-in page shows it."""

    instance: str
    name: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Departed:
    """Whom a provider announces as signed out; *token* is the announcement's own id."""

    issuer: str
    subject: str | None
    session: str | None
    token: str


class Providers(Protocol):
    """The hub's side of sign-in adapters."""

    def all(self) -> Sequence[Provider]:
        """Return the instances that can sign people in."""
        ...

    async def start(self, attempt: Attempt) -> str:
        """Return the provider's address for the browser."""
        ...

    async def finish(self, attempt: Attempt, parameters: Mapping[str, str]) -> Account:
        """Return the account that came back, or raise `SsoFailed`."""
        ...

    async def signed_out(self, instance: str, parameters: Mapping[str, str]) -> Departed:
        """Return whom the provider of *instance* announces, or raise `SsoFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and the secret it has to bring back in a cookie."""

    address: str
    browser_secret: str


class SingleSignOn:
    """Signs agents in through a provider; linking is by (issuer, subject) alone.

    *roles* maps a provider's group to a role. A tenant that the provider names must be one
    of *tenants*: a claim never creates a tenant.
    """

    def __init__(
        self,
        identity: Identity,
        store: IdentityStore,
        providers: Providers,
        clock: Clock,
        *,
        roles: Mapping[str, Role],
        tenants: Sequence[str],
    ) -> None:
        self._identity = identity
        self._store = store
        self._providers = providers
        self._clock = clock
        self._roles = roles
        self._tenants = tenants

    def providers(self) -> Sequence[Provider]:
        """Return what the sign-in page offers."""
        return self._providers.all()

    async def start(self, instance: str, redirect_uri: str) -> Departure:
        """Begin an attempt that lives ten minutes and can come back once."""
        provider = self._provider(instance)
        attempt = Attempt(
            instance=instance,
            redirect_uri=redirect_uri,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
        )
        browser_secret = secrets.token_urlsafe(32)
        address = await self._providers.start(attempt)
        await self._store.put_once(
            provider.tenant,
            "sso",
            tokens.digest(attempt.state),
            {
                "instance": instance,
                "redirect_uri": redirect_uri,
                "nonce": attempt.nonce,
                "verifier": attempt.verifier,
                "browser": tokens.digest(browser_secret),
            },
            self._clock.now() + timedelta(seconds=ATTEMPT_S),
        )
        return Departure(address, browser_secret)

    async def finish(
        self, instance: str, parameters: Mapping[str, str], browser_secret: str | None
    ) -> str:
        """Return the one-time code for `Identity.exchange`.

        Raises `SsoFailed` when the state is unknown, used, too old or another browser's, and
        `RoleUnmapped` when no group of the account has a role.
        """
        state = parameters.get("state", "")
        data = await self._store.take_once("sso", tokens.digest(state))
        if data is None or data["instance"] != instance:
            raise SsoFailed("state unknown, used or too old")
        if not hmac.compare_digest(tokens.digest(browser_secret or ""), data["browser"]):
            raise SsoFailed("the answer came to another browser")
        attempt = Attempt(
            instance, data["redirect_uri"], state, data["nonce"], data["verifier"]
        )
        account = await self._providers.finish(attempt, parameters)
        agent = await self._agent(account, default_tenant=data["tenant"])
        if account.session:
            named = _key(account.issuer, account.session)
            lived = timedelta(days=SESSION_DAYS)
            await self._keep(agent.tenant, SESSION, named, {"agent": agent.id}, lived)
        return await self._identity.hand_over(agent)

    async def signed_out(self, instance: str, parameters: Mapping[str, str]) -> int:
        """End every session of whoever signed out at the provider; return how many agents.

        An announcement counts once. One that names only the provider's session ends all of
        that agent's: which of ours came from it is not kept. Raises `SsoFailed`.
        """
        departed = await self._providers.signed_out(instance, parameters)
        seen = _key(departed.issuer, departed.token)
        lived = timedelta(seconds=ATTEMPT_S)
        if await self._keep(self._tenants[0], ANNOUNCED, seen, {}, lived):
            raise SsoFailed("the announcement was used before")
        found = await self._departed(departed)
        for tenant, agent in found:
            await self._identity.sign_out_everywhere(tenant, agent)
        return len(found)

    async def _keep(
        self, tenant: str, purpose: str, digest: str, data: dict[str, str], lived: timedelta
    ) -> bool:
        """Put *data* in place of what was there; return whether there was something."""
        before = await self._store.take_once(purpose, digest)
        await self._store.put_once(tenant, purpose, digest, data, self._clock.now() + lived)
        return before is not None

    async def _departed(self, departed: Departed) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        if departed.session:
            data = await self._store.take_once(SESSION, _key(departed.issuer, departed.session))
            if data is not None:
                found.add((data["tenant"], data["agent"]))
        if departed.subject:
            for tenant in self._tenants:
                agent = await self._store.linked_agent(
                    tenant, departed.issuer, departed.subject
                )
                if agent is not None:
                    found.add((tenant, agent.id))
        return found

    def _provider(self, instance: str) -> Provider:
        for provider in self._providers.all():
            if provider.instance == instance:
                return provider
        raise SsoFailed(f"{instance} cannot sign anybody in")

    def _role(self, groups: Sequence[str]) -> Role:
        mapped = {self._roles[group] for group in groups if group in self._roles}
        for role in _STRENGTH:
            if role in mapped:
                return role
        raise RoleUnmapped(f"no role for the groups {sorted(groups)}")

    async def _agent(self, account: Account, *, default_tenant: str) -> Agent:
        tenant = account.tenant or default_tenant
        if tenant not in self._tenants:
            raise SsoFailed(f"the provider names the unknown tenant {tenant!r}")
        role = self._role(account.groups)
        agent = await self._store.linked_agent(tenant, account.issuer, account.subject)
        if agent is None:
            agent = await self._link(account, tenant, role)
        if not agent.active:
            raise SsoFailed(f"agent {agent.id} was deactivated")
        if agent.role != role:
            agent = await self._identity.set_role(tenant, agent.id, role)
        return agent

    async def _link(self, account: Account, tenant: str, role: Role) -> Agent:
        """Return the agent with the account's verified e-mail, or a new one.

        An address that the provider did not verify is not stored either: its real owner
        would later be linked to an agent that somebody else made.
        """
        email = (account.email or "").strip().lower()
        found = await self._store.agents_by_email(email)
        known = [one for one in found if one.tenant == tenant]
        if known and not account.email_verified:
            raise SsoFailed("an agent has this e-mail, and the provider did not verify it")
        if known:
            agent = known[0]
        else:
            own = email if account.email_verified else ""
            agent = await self._identity.add_agent(
                tenant=tenant,
                email=own or f"{account.subject}@{account.issuer}",
                name=account.name or email,
                role=role,
                password=None,
            )
        await self._store.link_agent(tenant, account.issuer, account.subject, agent.id)
        log.info("account_linked", extra={"tenant": tenant, "agent": agent.id})
        return agent


def _key(issuer: str, value: str) -> str:
    return tokens.digest(f"{issuer}\n{value}")
