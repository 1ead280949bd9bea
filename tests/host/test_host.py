"""The host: instances come up in the background, fail alone, come back, and are guarded."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deskhub.clock import SystemClock
from deskhub.config import Config as HubConfig
from deskhub.config import Instance, Limits
from deskhub.host.errors import Crashed, InstanceBusy, NotRunning, TooLate, UnknownInstance
from deskhub.host.host import Host
from deskhub.host.ports import BuiltIn, HostPorts
from deskhub.host.running import Running
from deskhub.identity.model import Principal
from deskhub_sdk import (
    Adapter,
    AdapterError,
    AuthRequired,
    Config,
    ConfigInvalid,
    Context,
    ConversationId,
    Meta,
    NotFound,
    NotReady,
    NotSent,
    Order,
    OrderId,
    OutcomeUnknown,
    Permissions,
    Preview,
    Rejected,
    Seat,
    Step,
    StepCall,
    Unavailable,
    capability,
    hookimpl,
    step,
)


class ShopConfig(Config):
    base_url: str = "https://shop.example"
    token: SecretStr = SecretStr("s3cret")


class Shop(Adapter[ShopConfig]):
    meta = Meta(
        id="shop", name="Shop", sdk=">=1.0,<2",
        permissions=Permissions(reads=("agents",), writes=("note",)),
    )  # fmt: skip
    config_model = ShopConfig
    starts = 0
    stopped = 0
    trouble: Exception | None = None
    instances: list[Shop]

    def __init_subclass__(cls) -> None:
        cls.starts = cls.stopped = 0
        cls.instances = []

    async def start(self, ctx: Context) -> None:
        type(self).starts += 1
        if self.trouble is not None:
            raise self.trouble
        self.ctx = ctx
        type(self).instances.append(self)

    async def stop(self) -> None:
        type(self).stopped += 1

    @hookimpl
    async def diagnostics(self) -> Mapping[str, Any]:
        return {"token": self.ctx.secret("token")}

    @capability("orders@1")
    async def get_orders(self, ids: Sequence[OrderId]) -> Mapping[OrderId, Order]:
        if "slow" in ids:
            await asyncio.sleep(60)
        if "missing" in ids:
            raise NotFound("missing")
        return {}

    async def private(self) -> None:
        """Not part of the capability."""


@step("order.return@1", provides="authorized", kind="retriable", dedupe="key")
class Authorize(Step):
    async def preview(self, call: StepCall) -> Preview:
        return Preview(title="x", changes=(), fingerprint="1")

    async def run(self, call: StepCall) -> Mapping[str, Any]:
        return {}


class Ports:
    """The rest of the hub, as far as contexts reach it."""

    def __init__(self) -> None:
        self.done: list[tuple[Principal, Any, str]] = []
        self.values: dict[tuple[str, str, str], bytes] = {}
        self.signals: list[Any] = []

    async def do(self, principal: Principal, command: Any, *, cid: str) -> Any:
        self.done.append((principal, command, cid))

    async def get(self, tenant: str, instance: str, key: str) -> bytes | None:
        return self.values.get((tenant, instance, key))

    async def put(self, tenant: str, instance: str, key: str, value: bytes) -> None:
        self.values[tenant, instance, key] = value

    async def delete(self, tenant: str, instance: str, key: str) -> None:
        self.values.pop((tenant, instance, key), None)

    async def online(self, tenant: str, inbox: str) -> Sequence[Seat]:
        return []

    async def waiting(self, tenant: str, inbox: str) -> Sequence[str]:
        return [f"{tenant}-{inbox}"]

    async def name_of(self, tenant: str, agent: str) -> str | None:
        return "Li Wei"

    async def emit(self, tenant: str, instance: str, signal: Any) -> None:
        self.signals.append((tenant, instance, signal))

    def all(self) -> HostPorts:
        return HostPorts(chat=self, kv=self, seats=self, emit=self.emit)


def hub_config(**adapters: Instance) -> HubConfig:
    return HubConfig(path=Path("hub.toml"), adapters=adapters)


def instance(name: str, use: str = "shop", **more: Any) -> Instance:
    return Instance(id=name, use=use, isolation="inline", **more)


@pytest.fixture
def kind() -> type[Shop]:
    """A fresh adapter class, so that tests do not share counters."""

    class Mine(Shop):
        steps = (Authorize,)

    return Mine


@pytest.fixture
def points(kind: type[Shop], monkeypatch: pytest.MonkeyPatch) -> dict[str, EntryPoint]:
    module = types.ModuleType("fake_installed")
    module.Mine = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fake_installed", module)
    return {
        "shop": EntryPoint("shop", "fake_installed:Mine", "deskhub.adapters"),
        "absent": EntryPoint("absent", "fake_not_importable:X", "deskhub.adapters"),
    }


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[Host]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(host.run())
        try:
            yield host
        finally:
            task.cancel()


async def until(one: Running, state: str) -> None:
    async with asyncio.timeout(5):
        while one.state != state:
            await asyncio.sleep(0.005)


def build(config: HubConfig, points: dict[str, EntryPoint], ports: Ports | None = None) -> Host:
    return Host.build(config, SystemClock(), (ports or Ports()).all(), points=points)


async def test_an_instance_starts_answers_and_stops(
    kind: type[Shop], points: dict[str, EntryPoint]
) -> None:
    host = build(hub_config(shop=instance("shop")), points)
    one = host.instance("shop")
    assert one.state == "validated"

    async with running(host):
        await until(one, "ready")
        assert await host.direct("shop", "diagnostics") == {"token": "s3cret"}

    assert (one.state, kind.stopped) == ("stopped", 1)


async def test_only_enabled_adapters_are_imported(points: dict[str, EntryPoint]) -> None:
    off = instance("off", "absent", enabled=False)

    host = build(hub_config(off=off), points)

    assert host.instance("off").state == "disabled"
    assert "fake_not_importable" not in sys.modules


async def test_what_fails_is_set_aside_alone_with_its_reason(
    points: dict[str, EntryPoint],
) -> None:
    host = build(
        hub_config(
            shop=instance("shop"),
            typo=instance("typo", "shp"),
            broken=instance("broken", "absent"),
            wrong=instance("wrong", config={"base_url": 3}),
        ),
        points,
    )

    async with running(host):
        await until(host.instance("shop"), "ready")

        states = {one.id: (one.state, one.text[:5]) for one in host.instances("main")}
        assert states == {
            "shop": ("ready", ""),
            "typo": ("incompatible", "DH201"),
            "broken": ("incompatible", "DH502"),
            "wrong": ("config_invalid", "DH202"),
        }
        with pytest.raises(NotRunning):
            await host.direct("wrong", "diagnostics")


async def test_not_ready_is_tried_again_when_it_says(
    kind: type[Shop], points: dict[str, EntryPoint]
) -> None:
    kind.trouble = NotReady("warming up", retry_after_s=0.05)
    host = build(hub_config(shop=instance("shop")), points)
    one = host.instance("shop")

    async with running(host):
        await until(one, "backoff")
        assert one.next_try is not None
        kind.trouble = None
        await until(one, "ready")

    assert kind.starts >= 2


async def test_a_crash_at_start_is_set_aside_and_tried_again_by_itself(
    kind: type[Shop], points: dict[str, EntryPoint]
) -> None:
    kind.trouble = RuntimeError("a bug")
    host = build(hub_config(shop=instance("shop")), points)
    one = host.instance("shop")

    async with running(host):
        await until(one, "backoff")
        assert "RuntimeError" in one.text
        kind.trouble = None
        host.restart("shop")
        await until(one, "ready")


@pytest.mark.parametrize(
    ("trouble", "state", "word"),
    [
        (AuthRequired("401"), "auth_required", "admin"),
        (ConfigInvalid("unknown account"), "config_invalid", "hub.toml"),
    ],
)
async def test_what_only_an_admin_can_mend_says_so(
    kind: type[Shop],
    points: dict[str, EntryPoint],
    trouble: Exception,
    state: str,
    word: str,
) -> None:
    kind.trouble = trouble
    host = build(hub_config(shop=instance("shop")), points)

    async with running(host):
        await until(host.instance("shop"), state)
        assert word in host.instance("shop").words


async def test_a_start_that_hangs_delays_nobody_else(
    kind: type[Shop], points: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(self: Shop, ctx: Context) -> None:
        if ctx.instance == "slow":
            await asyncio.sleep(60)
        await Shop.start(self, ctx)

    monkeypatch.setattr(kind, "start", start)
    host = build(hub_config(slow=instance("slow"), quick=instance("quick")), points)

    async with running(host):
        await until(host.instance("quick"), "ready")
        assert host.instance("slow").state == "starting"


async def test_an_instance_can_be_restarted(
    kind: type[Shop], points: dict[str, EntryPoint]
) -> None:
    host = build(hub_config(shop=instance("shop")), points)
    one = host.instance("shop")

    async with running(host):
        await until(one, "ready")
        first = one.adapter
        host.restart("shop")
        async with asyncio.timeout(5):
            while one.adapter is first or one.state != "ready":
                await asyncio.sleep(0.005)

        assert (kind.starts, kind.stopped) == (2, 1)


async def test_a_refused_sign_in_shows_and_heals_with_the_next_good_call(
    points: dict[str, EntryPoint],
) -> None:
    host = build(hub_config(shop=instance("shop")), points)
    one = host.instance("shop")

    async def refused() -> None:
        raise AuthRequired("401")

    async def fine() -> None:
        """Answer."""

    async with running(host):
        await until(one, "ready")
        with pytest.raises(AuthRequired):
            await host.call("shop", refused, 1.0)
        assert one.state == "auth_required"
        assert "admin" in one.words
        await host.call("shop", fine, 1.0)
        assert one.state == "ready"


async def test_calls_have_deadlines_and_typed_ends(points: dict[str, EntryPoint]) -> None:
    host = build(hub_config(shop=instance("shop")), points)

    async def hang() -> None:
        await asyncio.sleep(60)

    async def reject() -> None:
        raise Rejected("no")

    async def crash() -> None:
        raise KeyError("bug")

    with pytest.raises(NotSent):
        await host.call("shop", hang, 1.0)
    async with running(host):
        await until(host.instance("shop"), "ready")
        with pytest.raises(TooLate) as late:
            await host.call("shop", hang, 0.05)
        with pytest.raises(Rejected):
            await host.call("shop", reject, 1.0)
        with pytest.raises(Crashed) as crashed:
            await host.call("shop", crash, 1.0)
        with pytest.raises(UnknownInstance):
            await host.call("nobody", hang, 1.0)

    assert isinstance(late.value, OutcomeUnknown)
    assert isinstance(crashed.value, OutcomeUnknown)


async def test_a_full_bulkhead_and_an_open_breaker_are_not_sent(
    points: dict[str, EntryPoint],
) -> None:
    small = instance("shop", limits=Limits(concurrency=1))
    host = build(hub_config(shop=small), points)
    release = asyncio.Event()

    async def wait() -> None:
        await release.wait()

    async def fail() -> None:
        raise Unavailable

    async with running(host):
        await until(host.instance("shop"), "ready")
        async with asyncio.TaskGroup() as group:
            for _ in range(65):
                group.create_task(host.call("shop", wait, 5.0))
            while host.instance("shop").guard.bulkhead.waiting < 64:
                await asyncio.sleep(0)
            with pytest.raises(InstanceBusy) as full:
                await host.call("shop", wait, 5.0)
            release.set()
        for _ in range(100):
            with pytest.raises(AdapterError):
                await host.call("shop", fail, 1.0)
        with pytest.raises(InstanceBusy):
            await host.call("shop", wait, 1.0)
        assert host.instance("shop").state == "degraded"

    assert isinstance(full.value, NotSent)


async def test_a_capability_has_its_methods_guarded_and_nothing_else(
    points: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskhub.host.capability.READ_S", 0.05)
    host = build(hub_config(shop=instance("shop")), points)

    assert host.capability("tickets@1", "main") is None
    assert host.capability("orders@1", "acme") is None
    async with running(host):
        await until(host.instance("shop"), "ready")
        found = host.capability("orders@1", "main")
        assert found is not None
        name, orders = found
        shop: Any = orders
        assert (name, await shop.get_orders([OrderId("1")])) == ("shop", {})
        with pytest.raises(TooLate):
            await shop.get_orders(["slow"])
        with pytest.raises(NotFound):
            await shop.get_orders(["missing"])
        with pytest.raises(AttributeError):
            shop.private  # noqa: B018
        with pytest.raises(AttributeError):
            shop.config  # noqa: B018


async def test_bind_chooses_between_two_instances(points: dict[str, EntryPoint]) -> None:
    config = HubConfig(
        path=Path("hub.toml"),
        adapters={"a": instance("a"), "b": instance("b")},
        bind={"orders@1": "b"},
    )
    host = build(config, points)

    async with running(host):
        await until(host.instance("a"), "ready")
        await until(host.instance("b"), "ready")
        found = host.capability("orders@1", "main")

    assert found is not None
    assert found[0] == "b"


async def test_steps_belong_to_ready_instances(points: dict[str, EntryPoint]) -> None:
    host = build(hub_config(shop=instance("shop"), acme=instance("acme", tenant="x")), points)

    assert host.steps("order.return@1", "main") == []
    async with running(host):
        await until(host.instance("shop"), "ready")
        (found,) = host.steps("order.return@1", "main")

        assert (found[0], found[1].spec.provides) == ("shop", "authorized")
        assert found[1].adapter is host.instance("shop").adapter
        assert host.steps("order.cancel@1", "main") == []


async def test_a_context_reaches_the_hub_only_as_its_instance(
    kind: type[Shop], points: dict[str, EntryPoint]
) -> None:
    ports = Ports()
    host = build(hub_config(shop=instance("shop")), points, ports)

    async with running(host):
        await until(host.instance("shop"), "ready")
        ctx = kind.instances[0].ctx
        await ctx.kv.put("cursor", b"7")
        await ctx.conversations.add_note(ConversationId("c_1"), "hello", cid="n1")
        assert await ctx.seats.waiting("web") == ["main-web"]
        with pytest.raises(KeyError):
            ctx.secret("base_url")

    assert ports.values == {("main", "shop", "cursor"): b"7"}
    (principal, command, cid) = ports.done[0]
    assert (principal.by, principal.grants, cid) == ("adapter:shop", {"note"}, "n1")
    assert command.text == "hello"


async def test_the_same_fetch_has_one_loader_and_background_work_ends_with_the_instance(
    kind: type[Shop], points: dict[str, EntryPoint]
) -> None:
    host = build(hub_config(shop=instance("shop")), points)
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with running(host):
        await until(host.instance("shop"), "ready")
        shop = kind.instances[0]
        assert shop.ctx.loader(shop.get_orders) is shop.ctx.loader(shop.get_orders)
        shop.ctx.tasks.start(work(), name="poll")
        await asyncio.sleep(0)

    assert ended.is_set()
    late = work()
    with pytest.raises(AdapterError):
        shop.ctx.tasks.start(late, name="again")


async def test_twenty_starts_and_stops_leave_no_task_behind(
    kind: type[Shop], points: dict[str, EntryPoint]
) -> None:
    before = len(asyncio.all_tasks())

    for _ in range(20):
        async with running(build(hub_config(shop=instance("shop")), points)) as host:
            await until(host.instance("shop"), "ready")

    assert len(asyncio.all_tasks()) == before
    assert kind.stopped == 20


async def test_a_built_in_feature_runs_in_every_tenant_like_an_adapter() -> None:
    class Feature(Adapter[Config]):
        meta = Meta(id="feature", name="Feature", sdk=">=1.0,<2")
        config_model = Config

        @hookimpl
        async def diagnostics(self) -> Mapping[str, Any]:
            return {"tenant": self.ctx.tenant}

    host = Host.build(
        hub_config(),
        SystemClock(),
        Ports().all(),
        builtins=[BuiltIn(Feature, Config(), ("main", "acme"))],
        points={},
    )

    async with running(host):
        await until(host.instance("feature@acme"), "ready")
        answer = await host.direct("feature@acme", "diagnostics")

    assert answer == {"tenant": "acme"}
    assert [one.id for one in host.instances("main")] == ["feature"]
