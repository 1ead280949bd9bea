"""The tickets adapter against a Roundup that nobody here wrote, from the registry's package."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from deskhub_sdk import AuthRequired, OutcomeUnknown, StepCall, TicketId
from deskhub_sdk.testing import given_context
from deskhub_sdk.testing.context import GivenContext
from deskhub_sdk.testing.samples import conversation, customer, step_call
from deskhub_sdk.testing.world import build_world
from deskhub_tickets_roundup import TicketsRoundup
from deskhub_tickets_roundup.client import RoundupClient
from deskhub_tickets_roundup.opening import Escalate, OpenCase
from deskhub_tickets_roundup.polling import Poller
from deskhub_tickets_roundup.settings import RoundupConfig
from tests.support.lab import peer

pytestmark = pytest.mark.lab
WORLD = build_world()


@dataclass
class Rig:
    """The adapter, its context, and the tracker as a colleague sees it."""

    desk: TicketsRoundup
    ctx: GivenContext
    http: aiohttp.ClientSession
    base: str

    async def ask(self, method: str, path: str, **given: Any) -> tuple[int, Any, str]:
        async with self.http.request(method, f"{self.base}/rest/data{path}", **given) as got:
            return got.status, await got.json(), got.headers.get("ETag", "")

    async def issues(self) -> list[dict[str, Any]]:
        _, told, _ = await self.ask("GET", "/issue?@fields=title,status.name")
        return told["data"]["collection"]

    async def change(self, issue: str, **values: Any) -> None:
        _, _, tag = await self.ask("GET", f"/issue/{issue}")
        status, told, _ = await self.ask(
            "PATCH", f"/issue/{issue}", json=values, headers={"If-Match": tag}
        )
        assert status == 200, told


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    async with peer("roundup") as told, adapter(told) as (desk, ctx):
        base = told["url"].rstrip("/")
        parts = urlsplit(base)
        headers = {
            "Authorization": aiohttp.encode_basic_auth(told["user"], told["password"]),
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "X-Requested-With": "colleague",
        }
        async with aiohttp.ClientSession(headers=headers) as http:
            yield Rig(desk, ctx, http, base)


@asynccontextmanager
async def adapter(
    told: Mapping[str, Any],
) -> AsyncIterator[tuple[TicketsRoundup, GivenContext]]:
    settings = RoundupConfig(base_url=told["url"], user=told["user"], password=told["password"])
    async with given_context(instance="tracker", timeout_s=10) as ctx:
        desk = TicketsRoundup(settings)
        await desk.start(ctx)
        try:
            yield desk, ctx
        finally:
            await desk.stop()


def call(key: str, action: str = "order.return@1") -> StepCall:
    return step_call(WORLD, action, key, ("refunded",))


async def test_a_case_is_opened_once_shown_and_closed() -> None:
    async with rig() as live:
        first = await OpenCase(live.desk).run(call("dh_live_1"))
        again = await OpenCase(live.desk).run(call("dh_live_1"))
        raised = await Escalate(live.desk).run(call("dh_live_2", "ticket.escalate@1"))
        (card,) = await live.desk.conversation_cards(conversation(WORLD), customer(WORLD))
        await Escalate(live.desk).undo(call("dh_live_2", "ticket.escalate@1"), raised)
        await Escalate(live.desk).undo(call("dh_live_2", "ticket.escalate@1"), raised)
        gone = await Escalate(live.desk).lookup(call("dh_live_2", "ticket.escalate@1"))
        kept = await live.issues()
        health = await live.desk.check_connection()

    assert first == again
    assert gone is None
    assert [one["status.name"] for one in kept] == ["unread", "resolved"]
    assert card.badge is not None
    assert card.badge.text == "2"
    assert health.ok, health.text


async def test_a_hundred_cases_are_one_call_and_an_unknown_one_fails_nobody() -> None:
    async with rig() as live:
        for at in range(5):
            status, told, _ = await live.ask("POST", "/issue", json={"title": f"Case {at}"})
            assert status == 201, told
        before = live.desk.cases.stats.calls
        found = await live.desk.get_tickets([TicketId(str(at)) for at in range(1, 101)])
        made = live.desk.cases.stats.calls - before
        listed = await live.desk.client.found_rows([("id", "1,2")])

    assert made == 1
    assert set(found) == {"1", "2", "3", "4", "5"}
    # Roundup finds nothing for a list with commas, and says nothing about it.
    assert listed == []


async def test_a_lost_answer_and_a_late_request_leave_one_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer to the first request is thrown away; later it arrives a second time."""
    write = RoundupClient.write
    sent: list[tuple[str, object]] = []

    async def loses(self: RoundupClient, path: str, body: object, **more: Any) -> Any:
        answer = await write(self, path, body, **more)
        if "@poe/" in path and not sent:
            sent.append((path, body))
            raise OutcomeUnknown("the answer got lost")
        return answer

    monkeypatch.setattr(RoundupClient, "write", loses)
    async with rig() as live:
        with pytest.raises(OutcomeUnknown):
            await OpenCase(live.desk).run(call("dh_live_3"))
        found = await OpenCase(live.desk).lookup(call("dh_live_3"))
        fact = await OpenCase(live.desk).run(call("dh_live_3"))
        ((path, body),) = sent
        late = await live.desk.client.write(path, body, repeatable=False)
        kept = await live.issues()

    assert found == fact
    assert late.status == 400
    assert len(kept) == 1


async def test_a_change_in_roundup_is_told_once() -> None:
    async with rig() as live:
        await OpenCase(live.desk).run(call("dh_live_4"))
        poller = Poller(live.ctx, live.desk.client, 1.0)
        await live.change("1", status="need-eg")
        async with asyncio.timeout(15):
            # Roundup counts seconds; the one in which it changed has to be over.
            while not await poller.look():
                await asyncio.sleep(0.5)
        again = await poller.look()

    (signal,) = live.ctx.emitted
    assert again == 0
    assert (signal.data["kind"], signal.subject) == ("waiting", customer(WORLD).subject)


async def test_a_wrong_password_is_typed() -> None:
    async with peer("roundup") as told:
        with pytest.raises(AuthRequired):
            async with adapter({**told, "password": "wrong"}):
                raise AssertionError("it let a stranger in")
