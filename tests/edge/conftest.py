"""A hub with a real database and small stand-ins for the parts that other tests cover."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import SecretStr

from deskhub.actions import Actions
from deskhub.chat.service import Chat
from deskhub.clock import SystemClock
from deskhub.config import Config, HubSettings, Inbox
from deskhub.edge.app import build_app
from deskhub.edge.hub import Hub
from deskhub.edge.limits import Limits
from deskhub.files.files import Files
from deskhub.host.host import Host
from deskhub.host.notify import Announcer
from deskhub.host.ports import HostPorts
from deskhub.host.reload import Reload
from deskhub.identity.errors import SsoFailed
from deskhub.identity.keys import open_keys
from deskhub.identity.passwords import Passwords
from deskhub.identity.records import Account, Claim
from deskhub.identity.service import Identity
from deskhub.identity.sso import Attempt, Departed, Provider, SingleSignOn
from deskhub.identity.tokens import sign_identity
from deskhub.notify import Mail, Push
from deskhub.panels import Panels
from deskhub.signals import SignalInbox, Signals
from deskhub.store.identity import SqlIdentity
from deskhub.store.reports import Reports
from deskhub.store.search import Search
from deskhub.store.store import Store
from deskhub.stream.streams import Streams
from deskhub.subscriptions import Subscriptions
from tests.support.databases import url_for

PASSWORD = "correct horse battery"
SECRETS = {"web": "w" * 40, "second": "s" * 40, "other": "o" * 40}
SHOP = "https://shop.example"


@dataclass
class FakeProviders:
    """A provider as the host would present it; the account it vouches for can be set."""

    account: Account | None = None
    departed: Departed | None = None
    seen: list[Attempt] = field(default_factory=list)

    def all(self) -> Sequence[Provider]:
        return [Provider("sso", "Example ID", "main")]

    async def start(self, attempt: Attempt) -> str:
        self.seen.append(attempt)
        return f"https://id.example/authorize?state={attempt.state}"

    async def finish(self, attempt: Attempt, parameters: Mapping[str, str]) -> Account:
        if parameters.get("code") != "good" or self.account is None:
            raise SsoFailed("no such code")
        assert self.seen[-1] == attempt
        return self.account

    async def signed_out(self, instance: str, parameters: Mapping[str, str]) -> Departed:
        if parameters.get("logout_token") != "good" or self.departed is None:
            raise SsoFailed("no such announcement")
        return self.departed


@dataclass
class World:
    """One hub, its application, and people to call it as."""

    hub: Hub
    app: FastAPI
    providers: FakeProviders
    clients: contextlib.AsyncExitStack

    async def client(self, token: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """Return a client that goes through the whole application."""
        if token:
            headers["authorization"] = f"Bearer {token}"
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        client = httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8700", headers=headers
        )
        return await self.clients.enter_async_context(client)

    async def agent(
        self, role: str = "agent", tenant: str = "main", name: str = "Li Wei"
    ) -> str:
        """Add an agent and return an access token."""
        email = f"{role}-{tenant}@example.com"
        agent = await self.hub.identity.add_agent(
            tenant=tenant, email=email, name=name, role=role, password=PASSWORD
        )
        return (await self.hub.identity.begin(agent, how="test")).access

    async def visitor(self, inbox: str = "web", subject: str | None = None) -> dict[str, Any]:
        """Let a browser in and return what it is told."""
        body = {"inbox": f"key-{inbox}"}
        if subject:
            body["identity"] = self.identity(subject, inbox)
        client = await self.client()
        answer = await client.post("/api/v1/visitors", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def identity(self, subject: str, inbox: str = "web", **facts: Any) -> str:
        """Return what the shop's server signs."""
        claim = Claim(subject=subject, **facts)
        return sign_identity(SECRETS[inbox], inbox, claim, self.hub.clock.now())


def config_in(folder: Path) -> Config:
    """Return a configuration with two inboxes of one tenant and one of another."""

    def inbox(name: str, tenant: str, origin: str) -> Inbox:
        return Inbox(
            id=name, key=f"key-{name}", tenant=tenant, name=name.title(), origins=(origin,),
            identity_secret=SecretStr(SECRETS[name]),
            greeting={"en": "Hello!", "zh-CN": "你好！"},
        )  # fmt: skip

    return Config(
        path=folder / "hub.toml",
        hub=HubSettings(store="sqlite:///hub.db"),
        inboxes={
            "web": inbox("web", "main", SHOP),
            "second": inbox("second", "main", "https://second.example"),
            "other": inbox("other", "rival", "https://rival.example"),
        },
        roles={"support": "agent", "leads": "supervisor", "boss": "admin"},
    )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as one:
        yield one


@contextlib.asynccontextmanager
async def running(folder: Path, limits: Limits | None = None) -> AsyncIterator[World]:
    """Run a hub in *folder*."""
    clock, config = SystemClock(), config_in(folder)
    store = await Store.open(url_for(folder / "hub.db"), clock)
    sql = SqlIdentity(store, clock)
    cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    keys = open_keys(config.data_dir)
    identity = Identity(sql, keys, clock, passwords=Passwords(cheap))
    providers = FakeProviders()
    sso = SingleSignOn(
        identity, sql, providers, clock, roles=config.roles, tenants=config.tenants
    )
    chat = Chat(store)
    streams = Streams(store, chat, identity, clock)
    identity.on_revoked(streams.close_revoked)
    inbox = SignalInbox(store, clock)
    ports = HostPorts(chat=chat, kv=NoKv(), seats=streams, emit=inbox.emit)
    host = Host.build(config, clock, ports, points={})
    hub = Hub(
        config=config,
        clock=clock,
        store=store,
        identity=identity,
        sso=sso,
        chat=chat,
        streams=streams,
        host=host,
        panels=Panels(host, store, clock, streams.push_panel),
        signals=Signals(host, store, clock, inbox),
        actions=Actions.build(store, host, clock),
        files=Files.build(config, store, identity, clock, keys),
        search=Search.at(store, url_for(folder / "hub.db")),
        reports=Reports(store),
        reload=Reload(config, host, store, clock),
        announcer=Announcer(host, store, clock),
        mail=Mail(config, store, clock, keys, streams.is_here),
        push=Push(config, store, clock, streams.presence.has_reached, identity.agents),
        subscriptions=Subscriptions(config, store, clock, keys),
        limits=limits or Limits(),
    )
    async with asyncio.TaskGroup() as group:
        services = [group.create_task(part.run()) for part in (store, streams, hub.search)]
        async with contextlib.AsyncExitStack() as clients:
            yield World(hub, build_app(hub), providers, clients)
        for service in services:
            service.cancel()
    await store.close()


class NoKv:
    """No adapter runs here that could keep anything."""
