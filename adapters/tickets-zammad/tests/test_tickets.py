"""Tickets are read in batches, shown, and followed by webhooks that only say where to look."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from deskhub_sdk import Forged, Malformed, Signal, Target, Throttled, Unavailable
from deskhub_sdk.cards import Badge
from deskhub_tickets_zammad.steps import OpenCase


async def test_300_ids_are_3_calls_and_what_is_not_there_is_dropped(given):
    ids = [str(number) for number in range(301, 601)]

    found = await given.adapter.get_tickets([*ids, "x1", "²"])

    assert len(found) == 30
    assert given.ctx.http.calls == ["GET /api/v1/tickets/search"] * 3


async def test_states_are_words_of_ours_and_a_strange_one_is_open(given):
    given.sim.desk.tickets[318].update(state="waiting for the moon", owner="-")
    told = {
        state: given.sim.desk.tickets[301].update(state=state)
        or (await given.adapter.get_tickets(["301"]))["301"].status
        for state in ("pending close", "merged")
    }

    assert told == {"pending close": "waiting", "merged": "done"}
    assert (await given.adapter.get_tickets(["318"]))["318"].status == "open"


async def test_open_tickets_of_many_customers_are_one_call_and_bounded(given):
    mould = given.sim.desk.tickets[318]
    for number in range(1000, 1080):
        given.sim.desk.tickets[number] = {**mould, "id": number}

    found = await given.adapter.tickets_of(["C-1001", "nobody"])

    assert {login: len(ids) for login, ids in found.items()} == {"C-1001": 50}
    assert len(given.ctx.http.calls) == 1


async def test_the_panel_lists_what_is_open_under_number_and_address(given):
    given.sim.desk.tickets[301].update(customer="wang@example.com", state="new")

    (card,) = await given.cards("C-1001", "wang@example.com")

    assert card.summary == "2 open tickets"
    assert card.badge == Badge("2", "warning")
    assert await given.cards("C-9999") == ()
    assert await given.cards(None) == ()


async def test_order_facts_name_the_open_tickets(given):
    told = await given.adapter.order_facts("1042", "C-1001")

    assert told.cases == ("#22318",)
    assert await given.adapter.order_facts("1042", None) is None


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("500", Unavailable),
        ("429", Throttled),
        ("malformed", Malformed),
        ("reset", Unavailable),
    ],
)
async def test_what_zammad_does_wrong_has_a_name(given, kind, error):
    given.fault(kind, "GET *", times=0, after_s=5)

    with pytest.raises(error):
        await given.adapter.get_tickets(["318"])


async def test_a_webhook_says_which_ticket_to_read_again(given):
    hook = await given.works(318, state="pending reminder")

    (thin,) = await given.adapter.receive_webhook(given.arrived(hook))
    (now,) = await given.adapter.refetch_signals([thin])

    card = await given.adapter.signal_card(now)
    assert (thin.thin, thin.data, thin.object) == (True, {}, "desk:318")
    assert await given.adapter.find_conversations(now) == [Target(subject="C-1001")]
    assert (card.audience, card.rev) == ("agent", now.version)
    assert card.badge.text.t == "zammad.status.waiting"


async def test_a_ticket_finds_its_way_back_to_the_conversation(given):
    fact = await OpenCase(given.adapter).run(given.call())
    hook = await given.works(int(fact["ticket"]), owner="Li Wei")
    (now,) = await given.adapter.refetch_signals(
        await given.adapter.receive_webhook(given.arrived(hook))
    )

    targets = await given.adapter.find_conversations(now)

    assert [one.conversation for one in targets] == [None, "c_7"]


async def test_the_signature_is_hmac_sha1_of_the_bytes(given):
    hook = await given.works(318)
    made = hmac.new(given.sim.webhook_secret.encode(), hook.body, hashlib.sha1).hexdigest()

    assert hook.headers["x-hub-signature"] == f"sha1={made}"


async def test_webhooks_in_any_order_end_the_same(given):
    hooks = [
        await given.works(318, state=state) for state in ("open", "pending close", "closed")
    ]
    thin = [(await given.adapter.receive_webhook(given.arrived(h)))[0] for h in hooks]

    assert [one.version for one in thin] == sorted({one.version for one in thin})
    for order in itertools.permutations(thin):
        told = [one for t in order for one in await given.adapter.refetch_signals([t])]
        last = max(told, key=lambda one: one.version)
        assert (await given.adapter.signal_card(last)).badge.text.t == "zammad.status.done"


async def test_a_job_that_is_tried_again_is_one_fact_until_the_ticket_changes(given):
    ticket = given.sim.desk.tickets[318]
    await given.works(318)
    first, again = (given.sim.hook(ticket, "job-1") for _ in range(2))
    await given.works(318, owner="Sara")
    later = given.sim.hook(ticket, "job-1")

    keys = [
        (await given.adapter.receive_webhook(given.arrived(hook)))[0].dedupe
        for hook in (first, again, later)
    ]

    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("signature", ["", "sha1=", "sha1=00", "sha256=00", "x"])
async def test_a_signature_that_is_none_is_forged(given, signature):
    hook = await given.works(318)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(given.arrived(hook, x_hub_signature=signature))


async def test_the_same_ticket_written_anew_is_forged(given):
    hook = await given.works(318)
    body = json.dumps(json.loads(hook.body), indent=1).encode()

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(given.arrived(hook, body=body))


async def test_a_webhook_of_days_ago_is_forged(given):
    hook = await given.works(318)
    late = datetime.now(UTC) + timedelta(days=1, minutes=1)

    with pytest.raises(Forged):
        await given.adapter.receive_webhook(given.arrived(hook, at=late))


async def test_a_signed_body_without_a_ticket_is_malformed(given):
    given.sim.desk.tickets[318]["updated_at"] = "yesterday"
    hook = given.sim.hook(given.sim.desk.tickets[318])

    with pytest.raises(Malformed):
        await given.adapter.receive_webhook(given.arrived(hook))


async def test_polling_finds_what_no_webhook_told_page_by_page(given):
    mould = given.sim.desk.tickets[318]
    for number in range(1000, 1150):
        given.sim.desk.tickets[number] = {**mould, "id": number}
    since = datetime.now(UTC) - timedelta(days=400)

    first = await given.adapter.changed_since(since, "")
    second = await given.adapter.changed_since(since, first.next)

    assert (len(first.signals), first.next, len(second.signals), second.next) == (
        100,
        "2",
        80,
        "",
    )
    assert (await given.adapter.changed_since(datetime.now(UTC), "")).signals == ()


async def test_another_adapters_signal_is_left_alone(given):
    foreign = Signal(
        kind="ticket.changed", dedupe="x", object="other:1", version=1, at=datetime.now(UTC)
    )

    assert await given.adapter.signal_card(foreign) is None
    assert await given.adapter.find_conversations(foreign) == ()
