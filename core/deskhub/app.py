"""The composition root: every part is made here once, and runs in one task group."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deskhub.actions import Actions
from deskhub.builtin.canned import CannedConfig, CannedReplies
from deskhub.builtin.routing import Routing, RoutingConfig
from deskhub.builtin.sla import Sla
from deskhub.bus.memory import MemoryBus
from deskhub.bus.nats import NatsBus
from deskhub.bus.port import Bus
from deskhub.channels import Channels
from deskhub.chat.service import Chat
from deskhub.clock import Clock
from deskhub.config import Config
from deskhub.edge.app import build_app
from deskhub.edge.hub import Hub
from deskhub.edge.server import listener, server
from deskhub.edge.targets import sla_config
from deskhub.files.files import Files
from deskhub.host.accept import MessageGate
from deskhub.host.host import Host
from deskhub.host.notify import Announcer
from deskhub.host.ports import BuiltIn, HostPorts
from deskhub.host.reload import Reload
from deskhub.host.seats import HubSeats
from deskhub.host.sign_in import SignInAdapters
from deskhub.host.watchdog import Watchdog
from deskhub.identity.keys import open_keys
from deskhub.identity.service import Identity
from deskhub.identity.sso import SingleSignOn
from deskhub.notify import Mail, Push
from deskhub.panels import Panels
from deskhub.privacy import Retention
from deskhub.services import Service, run_all
from deskhub.signals import SignalInbox, Signals
from deskhub.store.identity import SqlIdentity
from deskhub.store.kv import StoreKv
from deskhub.store.reports import Reports
from deskhub.store.search import Search
from deskhub.store.store import Store
from deskhub.stream.streams import Streams
from deskhub.subscriptions import Subscriptions

log = logging.getLogger("deskhub.app")

# Ten thousand sockets are more than a million objects: a full collection would stop the loop
# for most of a second. Freezing what is there keeps the collector on what is new.
GC_THRESHOLDS = (50_000, 20, 100_000)
# A look at everything stops the loop for a tenth of a second and more.
TIDY_EVERY_S = 3600.0
TIDY_BELOW = 500


@dataclass(slots=True)
class Application:
    """One process's hub: its parts, and in which order they run."""

    hub: Hub
    announcer: Announcer
    services: Sequence[tuple[str, Service]]
    # Whether other processes listen at the same port.
    shares_port: bool = False
    prepared: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    def before_listening(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do *work* after the store writes and before anybody can connect."""
        self.prepared.append(work)

    async def adapters_ready(self, deadline_s: float) -> bool:
        """Wait until every enabled adapter runs; return whether all do."""
        try:
            async with asyncio.timeout(deadline_s):
                for one in self.hub.host.all_instances():
                    if one.state not in ("disabled", "incompatible", "config_invalid"):
                        await one.ready.wait()
        except TimeoutError:
            return False
        return True


async def build(config: Config, clock: Clock) -> Application:
    """Return the hub that *config* describes; nothing runs yet.

    Raises `SchemaTooNew`, `KeysUnsafe`, `ExtraMissing`, `StoreDown` and `Refused`.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True)
    store = await Store.open(config.store_url, clock)
    chat = Chat(store)
    accounts = SqlIdentity(store, clock)
    keys = open_keys(config.data_dir)
    identity = Identity(accounts, keys, clock)
    bus = bus_of(config)
    streams = Streams(store, chat, identity, clock, bus=bus)
    identity.on_revoked(streams.close_revoked)

    inbox = SignalInbox(store, clock)
    files = Files.build(config, store, identity, clock, keys)
    channels = Channels(store, chat, files, clock, keys, config.inboxes)
    ports = HostPorts(
        chat=chat, kv=StoreKv(store), seats=HubSeats(streams, store), emit=inbox.emit,
        channel=channels,
    )  # fmt: skip
    host = Host.build(config, clock, ports, builtins=_builtins(config))
    channels.attach(host)
    reload = Reload(config, host, store, clock)
    gate = MessageGate(host, store, clock)
    chat.gate = gate
    announcer = Announcer(host, store, clock)
    streams.on_agent_here(_room(config, announcer))
    panels = Panels(host, store, clock, streams.push_panel)
    signals = Signals(host, store, clock, inbox)
    actions = Actions.build(
        store, host, clock, bind=host.bind, data_dir=config.data_dir,
        public_url=config.hub.url, limits=config.actions.limits.items(),
        goods_in=config.actions.goods_in, lease_s=config.actions.lease,
    )  # fmt: skip
    providers = SignInAdapters(host)
    sso = SingleSignOn(
        identity, accounts, providers, clock, roles=config.roles, tenants=config.tenants
    )
    search = Search.at(store, config.store_url)
    reports = Reports(store)
    mail = Mail(config, store, clock, keys, streams.is_here)
    push = Push(config, store, clock, streams.presence.has_reached, identity.agents)
    subscriptions = Subscriptions(config, store, clock, keys)
    hub = Hub(
        config=config, clock=clock, store=store, identity=identity, sso=sso, chat=chat,
        streams=streams, host=host, panels=panels, signals=signals, actions=actions,
        files=files, search=search, reports=reports, reload=reload, announcer=announcer,
        mail=mail, push=push, subscriptions=subscriptions,
    )  # fmt: skip
    return Application(
        hub,
        announcer,
        [
            ("store", store),
            ("bus", bus),
            ("streams", streams),
            ("host", host),
            ("reload", reload),
            ("watchdog", Watchdog(host, clock)),
            ("gate", gate),
            ("signals", signals),
            ("actions", actions.worker),
            ("files", files),
            ("eraser", hub.eraser),
            ("retention", Retention(config, store, clock, hub.eraser, files)),
            ("announcer", announcer),
            ("mail", mail),
            ("channels", channels),
            ("push", push),
            ("subscriptions", subscriptions),
            ("search", search),
            ("reports", reports),
            ("collector", Collector(lambda: streams.size)),
        ],
    )


def bus_of(config: Config) -> Bus:
    """Return the bus that *config* names. Raises `ExtraMissing`."""
    if config.hub.bus == "memory":
        return MemoryBus().member()
    secret = config.hub.bus_password
    return NatsBus(config.hub.bus, secret.get_secret_value() if secret else None)


async def serve(
    application: Application,
    stop: asyncio.Event,
    listening: Callable[[], None],
    beside: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run *application* until *stop*; call *listening* when clients can connect.

    The order of the end: accept nobody new, drain the connections, stop the server, then
    every part in reverse, then close the store. *beside* runs along until it ends.
    """
    hub = application.hub
    socket = listener(hub.config, shared=application.shares_port)
    parts_stop = asyncio.Event()
    web = server(build_app(hub), hub.config)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_all(application.services, parts_stop), name="parts")
            try:
                for work in application.prepared:
                    await work()
                serving = group.create_task(web.serve(sockets=[socket]), name="web")
                await _first(web.listening, serving)
                gc.collect()
                gc.freeze()
                listening()
                companion = group.create_task(_companion(beside), name="beside")
                await _first(stop, serving)
                companion.cancel()
                hub.draining = True
                await hub.streams.drain()
                web.should_exit = True
                await asyncio.wait([serving])
            finally:
                parts_stop.set()
    finally:
        socket.close()
        await hub.store.close()


async def serve_until_signal(
    application: Application,
    listening: Callable[[], None],
    beside: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """`serve` until SIGINT or SIGTERM; SIGHUP reads hub.toml anew."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, application.hub.reload.ask)
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await serve(application, stop, listening, beside)


@asynccontextmanager
async def administration(config: Config, clock: Clock) -> AsyncIterator[Identity]:
    """Yield the identity service alone, for commands beside a hub that may be running."""
    config.data_dir.mkdir(parents=True, exist_ok=True)
    store = await Store.open(config.store_url, clock)
    done = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_all([("store", store)], done), name="store")
            try:
                keys = open_keys(config.data_dir)
                yield Identity(SqlIdentity(store, clock), keys, clock)
            finally:
                done.set()
    finally:
        await store.close()


class Collector:
    """Keeps the garbage collector's pauses short however many connections there are.

    What survives a young collection is frozen right then, when nothing among it is garbage;
    so the next one looks at new things only. A connection's parts do not refer to themselves
    and are freed without a collector. What little is frozen and becomes garbage later is
    looked for when few would notice the pause (ADR-0025).
    """

    def __init__(self, connections: Callable[[], int]) -> None:
        """Look at everything only while there are few *connections*."""
        self._connections = connections

    async def run(self) -> None:
        """Freeze survivors until cancelled."""
        gc.set_threshold(*GC_THRESHOLDS)
        gc.callbacks.append(_freeze_survivors)
        try:
            while True:
                await asyncio.sleep(TIDY_EVERY_S)
                if self._connections() < TIDY_BELOW:
                    gc.unfreeze()
                    gc.collect()
        finally:
            gc.callbacks.remove(_freeze_survivors)


def _freeze_survivors(phase: str, _info: dict[str, int]) -> None:
    if phase == "stop":
        gc.freeze()


def _builtins(config: Config) -> list[BuiltIn]:
    # Who listens to every message is told of every message, also when it has nothing to do.
    promised = {box.tenant for box in config.inboxes.values() if box.sla}
    return [
        BuiltIn(Routing, RoutingConfig(), config.tenants),
        BuiltIn(CannedReplies, CannedConfig(), config.tenants),
        BuiltIn(Sla, sla_config(config), tuple(sorted(promised))),
    ]


def _room(config: Config, announcer: Announcer) -> Callable[[str], None]:
    """Return what tells routing, inbox by inbox, that somebody in a tenant has room."""

    def tell(tenant: str) -> None:
        for box in config.inboxes.values():
            if box.tenant == tenant:
                announcer.agent_available(tenant, box.id)

    return tell


async def _companion(beside: Callable[[], Awaitable[None]] | None) -> None:
    if beside is not None:
        await beside()


async def _first(event: asyncio.Event, serving: asyncio.Task[None]) -> None:
    """Wait until *event* is set or the server ended by itself."""
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(event.wait(), name="event")
        await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
