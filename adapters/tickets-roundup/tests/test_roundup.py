"""Roundup's habits, offline: each was measured on 2.6 and is repeated by the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from deskhub_sdk import (
    ConfigInvalid,
    Conflict,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Signal,
    StepCall,
    Throttled,
    TicketId,
    Unavailable,
)
from deskhub_sdk.testing import given_context
from deskhub_sdk.testing.context import GivenContext
from deskhub_sdk.testing.samples import conversation, customer, step_call
from deskhub_tickets_roundup import TicketsRoundup
from deskhub_tickets_roundup.client import RoundupClient
from deskhub_tickets_roundup.opening import Escalate, OpenCase
from deskhub_tickets_roundup.polling import CURSOR, Poller
from deskhub_tickets_roundup.settings import RoundupConfig
from deskhub_tickets_roundup.simulator import PREFIX, Roundup


@dataclass
class Rig:
    """An adapter that runs against the simulator."""

    desk: TicketsRoundup
    ctx: GivenContext
    roundup: Roundup

    def call(self, key: str, action: str = "order.return@1") -> StepCall:
        return step_call(self.roundup.world, action, key, ("refunded",))

    def opened(self) -> int:
        return self.roundup.effects.get("case_opened", {}).get("k1", 0)

    async def colleague(self, **does: Any) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.roundup.url}/_sim/update", json=does) as answer,
        ):
            assert answer.status == 200


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with (
        Roundup(token="secret").serving() as roundup,
        given_context(instance="tracker", timeout_s=1.5) as ctx,
    ):
        desk = TicketsRoundup(RoundupConfig.model_validate(roundup.settings()))
        await desk.start(ctx)
        yield Rig(desk, ctx, roundup)
        await desk.stop()


async def test_ids_are_parameters_of_their_own_because_a_list_finds_nothing(rig: Rig) -> None:
    found = await rig.desk.get_tickets([TicketId(one) for one in ("1", "2", "999", "x,1")])
    listed = await rig.desk.client.found_rows([("id", "1,2")])

    assert set(found) == {"1", "2"}
    assert listed == []


async def test_a_customer_nobody_marked_does_not_fail_the_others(rig: Rig) -> None:
    cases = rig.roundup.world.cases.values()
    known = next(one.customer for one in cases if one.status != "done")
    with pytest.raises(Rejected, match="No key"):
        await rig.desk.client.found_rows([("keyword", "customer:nobody")])

    found = await rig.desk.tickets_of([known, "nobody"])

    assert set(found) == {known}


async def test_the_panel_shows_open_cases_only(rig: Rig) -> None:
    world = rig.roundup.world
    mine = [one for one in world.cases.values() if one.customer == customer(world).subject]
    still_open = sum(one.status != "done" for one in mine)

    (card,) = await rig.desk.conversation_cards(conversation(world), customer(world))

    assert card.badge is not None
    assert card.badge.text == str(still_open)


async def test_a_case_is_opened_once_with_what_a_colleague_needs(rig: Rig) -> None:
    first = await OpenCase(rig.desk).run(rig.call("k1"))
    again = await OpenCase(rig.desk).run(rig.call("k1"))

    issue = rig.roundup.kinds["issue"][first["id"].removeprefix("issue")]
    message = rig.roundup.kinds["msg"][issue["messages"][0]]
    keywords = {rig.roundup.kinds["keyword"][one]["name"] for one in issue["keyword"]}
    assert first == again
    assert rig.opened() == 1
    assert keywords == {"return", f"{PREFIX}{rig.call('k1').subject.order.customer}"}
    assert "refunded: re_1" in message["content"]


@pytest.mark.parametrize("path", ["*/keyword", "*/msg", "*/@poe", "*/@poe/*"])
async def test_a_lost_answer_anywhere_is_one_case_in_the_end(rig: Rig, path: str) -> None:
    rig.roundup.faults.add({"kind": "timeout_after", "match": f"POST {path}", "times": 1})
    try:
        await OpenCase(rig.desk).run(rig.call("k1"))
    except OutcomeUnknown:
        assert path == "*/@poe/*"

    found = await OpenCase(rig.desk).lookup(rig.call("k1"))
    fact = await OpenCase(rig.desk).run(rig.call("k1"))

    assert found == fact
    assert rig.opened() == 1


async def test_a_request_that_was_held_up_comes_too_late_for_its_token(rig: Rig) -> None:
    """It left, nobody found its case, it was repeated, and then it arrives after all."""
    rig.roundup.faults.add({"kind": "timeout_before", "match": "POST */@poe/*", "times": 1})
    with pytest.raises(OutcomeUnknown):
        await OpenCase(rig.desk).run(rig.call("k1"))
    token = await rig.ctx.kv.get("once:k1")
    assert token is not None
    held_up = {"title": "Return", "messages": ["1"]}

    await OpenCase(rig.desk).run(rig.call("k1"))
    late = await rig.desk.client.write(
        f"/rest/data/issue/@poe/{token.decode()}", held_up, repeatable=False
    )

    assert late.status == 400
    assert rig.opened() == 1


async def test_without_the_kept_token_the_late_request_would_be_a_second_case(rig: Rig) -> None:
    """The twin that shows what the token is for: forget it, and the effect doubles."""
    rig.roundup.faults.add({"kind": "timeout_before", "match": "POST */@poe/*", "times": 1})
    with pytest.raises(OutcomeUnknown):
        await OpenCase(rig.desk).run(rig.call("k1"))
    token = await rig.ctx.kv.get("once:k1")
    assert token is not None
    await rig.ctx.kv.delete("once:k1")

    await OpenCase(rig.desk).run(rig.call("k1"))
    held_up = {"title": "Return", "messages": ["1"]}
    late = await rig.desk.client.write(
        f"/rest/data/issue/@poe/{token.decode()}", held_up, repeatable=False
    )

    assert late.status == 201
    assert rig.opened() == 2


async def test_a_token_that_is_too_old_is_replaced(rig: Rig) -> None:
    await rig.ctx.kv.put("once:k1", b"long-gone")
    with pytest.raises(NotSent):
        await OpenCase(rig.desk).run(rig.call("k1"))

    await OpenCase(rig.desk).run(rig.call("k1"))

    assert rig.opened() == 1


async def test_a_refused_case_spends_its_token_and_says_why(rig: Rig) -> None:
    client = rig.desk.client
    asked = {"key": "k1", "title": "Return", "body": "b", "keywords": ["return"]}
    with pytest.raises(Rejected, match="is not a priority"):
        await client.open(**asked, priority="sky-high")

    await client.open(**asked, priority="bug")

    assert rig.opened() == 1


async def test_undoing_an_escalation_closes_it_under_its_tag(rig: Rig) -> None:
    call = rig.call("k1", "ticket.escalate@1")
    fact = await Escalate(rig.desk).run(call)

    await Escalate(rig.desk).undo(call, fact)
    await Escalate(rig.desk).undo(call, fact)

    assert await Escalate(rig.desk).lookup(call) is None
    assert rig.roundup.effects["case_changed"].total() == 1


async def test_a_case_that_changes_all_the_time_is_a_conflict(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = RoundupClient.read

    async def meanwhile(self: RoundupClient, path: str, *more: Any, **named: Any) -> Any:
        answer = await read(self, path, *more, **named)
        if path == "/rest/data/issue/1":
            await rig.colleague(issue="1", message="and another thing")
        return answer

    rig.roundup.kinds["issue"]["1"]["status"] = rig.roundup.id_of("status", "unread")
    monkeypatch.setattr(RoundupClient, "read", meanwhile)

    with pytest.raises(Conflict):
        await rig.desk.client.close("1")

    assert rig.roundup.effects == {}


async def test_an_address_that_is_not_its_own_is_said_to_an_admin(rig: Rig) -> None:
    elsewhere = rig.roundup.url.replace("127.0.0.1", "localhost")
    config = RoundupConfig(base_url=elsewhere, user="deskhub", password="secret")
    client = RoundupClient(rig.ctx, config)

    with pytest.raises(ConfigInvalid, match="base_url"):
        await client.open(key="k1", title="t", body="b", keywords=["new"], priority="bug")


async def test_its_own_rate_limit_is_waited_for_or_handed_on(rig: Rig) -> None:
    rig.roundup.calls_a_minute = 1
    await rig.desk.client.cases(["1"])

    with pytest.raises(Throttled) as refused:
        await rig.desk.client.cases(["2"])

    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s > 50


async def test_a_change_is_told_once_and_not_before_its_second_is_over(rig: Rig) -> None:
    poller = Poller(rig.ctx, rig.desk.client, 1.0)
    await rig.colleague(issue="3", status="resolved")
    early = await poller.look()
    await rig.colleague(issue="1", status="testing", ago_s=5)
    rig.roundup.faults.add({"kind": "500", "match": "*/issue", "times": 0})
    with pytest.raises(Unavailable):
        await poller.look()
    rig.roundup.faults.clear()

    first, second = await poller.look(), await poller.look()

    (signal,) = rig.ctx.emitted
    assert (early, first, second) == (0, 1, 0)
    assert signal.object == "tracker:issue1"
    assert signal.data["kind"] == "in_progress"


async def test_a_new_process_begins_where_the_old_one_was(rig: Rig) -> None:
    await Poller(rig.ctx, rig.desk.client, 1.0).look()
    assert await rig.ctx.kv.get(CURSOR) is not None
    await rig.colleague(issue="2", status="deferred", ago_s=4)

    await Poller(rig.ctx, rig.desk.client, 1.0).look()

    assert [one.object for one in rig.ctx.emitted] == ["tracker:issue2"]


async def test_a_changed_case_has_a_card_and_finds_its_customer(rig: Rig) -> None:
    poller = Poller(rig.ctx, rig.desk.client, 1.0)
    await rig.colleague(issue="1", status="need-eg", ago_s=3)
    await poller.look()
    (signal,) = rig.ctx.emitted

    card = await rig.desk.signal_card(signal)
    targets = await rig.desk.find_conversations(signal)
    foreign = Signal(
        kind="other", dedupe="d", object="shop:1", version=1, at=signal.at, data={}
    )

    assert card is not None
    assert card.rev == signal.version
    assert [one.subject for one in targets] == [signal.subject]
    assert await rig.desk.signal_card(foreign) is None
