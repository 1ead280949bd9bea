"""A simulated HubSpot, the adapter on it, and what the tests put in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from deskhub_crm_hubspot import CrmHubspot, HubspotConfig
from deskhub_crm_hubspot.simulator import Hubspot
from deskhub_sdk import StepCall
from deskhub_sdk.testing import GivenContext, given_context
from deskhub_sdk.testing.samples import step_call
from deskhub_sdk.testing.world import World, build_world

TOKEN, SECRET, OLD_SECRET = "pat-token", "client-secret", "client-secret-before"


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class Recording(Hubspot):
    """The simulator, which also keeps what it was asked."""

    def reset(self) -> None:
        super().reset()
        self.asked: list[Asked] = []

    @web.middleware
    async def _admit(self, request: web.Request, handler: Any) -> web.StreamResponse:
        body = await request.read()
        if not request.path.startswith("/_sim/"):
            self.asked.append(
                Asked(
                    request.method, request.path, dict(request.query),
                    json.loads(body) if body else None,
                )
            )  # fmt: skip
        return await super()._admit(request, handler)


@dataclass
class Given:
    """The three together."""

    hubspot: Recording
    adapter: CrmHubspot
    ctx: GivenContext

    def effects(self) -> dict[str, int]:
        return {kind: sum(keys.values()) for kind, keys in self.hubspot.effects.items()}

    def fault(self, kind: str, match: str = "*", times: int = 1) -> None:
        self.hubspot.faults.add({"kind": kind, "match": match, "times": times})

    def call(self, action: str = "order.return@1", key: str = "dh_r1_note") -> StepCall:
        made = step_call(self.hubspot.world, action, key, ())
        return StepCall(
            action=action, run="r1", key=key, subject=made.subject, facts={},
            customer=made.customer,
        )  # fmt: skip

    def contact(self, number: str = "C-1001") -> dict[str, Any]:
        return next(
            one
            for one in self.hubspot.contacts.values()
            if one["properties"]["customer_number"] == number
        )


@pytest.fixture(scope="session")
def world() -> World:
    return build_world()


@pytest_asyncio.fixture
async def given(world: World) -> AsyncIterator[Given]:
    async with (
        Recording(token=TOKEN, webhook_secret=SECRET, world=world).serving() as hubspot,
        given_context(instance="crm", timeout_s=0.6) as ctx,
    ):
        config = HubspotConfig.model_validate(
            {**hubspot.settings(), "previous_webhook_secret": OLD_SECRET}
        )
        adapter = CrmHubspot(config)
        await adapter.start(ctx)
        yield Given(hubspot, adapter, ctx)
        await adapter.stop()


__all__ = ["OLD_SECRET", "SECRET", "TOKEN", "Asked", "Given"]
