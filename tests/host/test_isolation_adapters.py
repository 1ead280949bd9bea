"""Six adapters against their simulators: a worker answers what the same class answers inline."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from deskhub.config import Instance
from deskhub.host.discovery import installed
from deskhub_sdk import WebhookRequest
from deskhub_sdk.testing import Hook
from deskhub_sdk.testing.kit.ask import Asking
from deskhub_sdk.testing.kit.bench import Bench
from tests.host.small_hub import SmallHub, eventually, small_hub

ROOT = Path(__file__).parents[2]
ADAPTERS = ("crm", "erp", "orders", "payments", "sso", "tickets")


def plain(value: Any) -> Any:
    """Return *value* as JSON, without what says when it was made."""
    told = json.loads(msgspec.json.encode(value, enc_hook=str))
    return drop(told, {"as_of", "rev", "loads", "calls"})


def drop(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: drop(one, names) for key, one in value.items() if key not in names}
    return [drop(one, names) for one in value] if isinstance(value, list) else value


async def asked(hub: SmallHub, bench: Bench, simulator: Any, instance: str) -> dict[str, Any]:
    """Return what every reading hook, capability and preview of *instance* says."""
    adapter = hub.host.instance(instance).adapter
    asking = Asking(bench.manifest, simulator.world, adapter)
    return {**await asking.everything(), "health": (await asking.check()).ok}


async def pushed(hub: SmallHub, simulator: Any, instance: str, hook: Hook) -> dict[str, Any]:
    """Return what *instance* makes of a webhook: signal, whom it concerns, its card."""
    request = WebhookRequest(
        instance=instance, headers={k.lower(): v for k, v in hook.headers.items()},
        body=hook.body, received_at=datetime.now(UTC),
    )  # fmt: skip
    (signal, *_) = await hub.host.direct(instance, "receive_webhook", request=request)
    impls = hub.host.runner.listener(instance).impls
    told = {"signal": signal}
    for name in ("find_conversations", "signal_card"):
        if name in impls:
            told[name] = await impls[name][0](signal)
    return told


async def caught(simulator: Any) -> Hook:
    """Return a webhook that *simulator* sends."""
    simulator.caught = []
    path, body = simulator.trigger()
    headers = {"Authorization": f"Bearer {simulator.token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        await http.post(simulator.url + path, json=body)
    return await eventually(lambda: simulator.caught and simulator.caught[0])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ADAPTERS)
async def test_a_worker_answers_like_the_class_itself(tmp_path: Path, name: str) -> None:
    bench = Bench.at(ROOT / "adapters" / name)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(bench.simulator().serving())
        settings = {
            where: Instance(
                id=where, use=name, isolation=where, config=bench.settings(simulator)
            )
            for where in ("process", "inline")
        }
        hub = await stack.enter_async_context(
            small_hub(tmp_path, {}, settings=settings, points=installed())
        )
        told = {where: await asked(hub, bench, simulator, where) for where in settings}
        if "receive_webhook" in bench.manifest.hooks:
            hook = await caught(simulator)
            for where in settings:
                told[where] |= await pushed(hub, simulator, where, hook)
        one = hub.host.instance("process")
        assert "limits" in one.layers
        assert one.hooks == hub.host.instance("inline").hooks
        assert one.capabilities == hub.host.instance("inline").capabilities
        assert [s.spec for s in one.steps] == [
            s.spec for s in hub.host.instance("inline").steps
        ]

    # An object of an instance carries its name.
    same = {
        where: json.loads(
            json.dumps(plain(answer)).replace(f'"{where}:', '"x:').replace(f"{where}.", "x.")
        )
        for where, answer in told.items()
    }
    assert same["process"] == same["inline"]
    assert told["process"]["health"] is True
