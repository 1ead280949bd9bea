"""Notes on a contact: one for each step, whatever gets lost."""

from __future__ import annotations

import pytest

from deskhub_crm_hubspot.steps import (
    NoteCancel,
    NoteEscalation,
    NoteExchange,
    NoteRefund,
    NoteReturn,
)
from deskhub_sdk import NotSent, OutcomeUnknown, Rejected

CREATE = "POST /crm/v3/objects/notes"
KINDS = [
    (NoteReturn, "order.return@1"),
    (NoteCancel, "order.cancel@1"),
    (NoteRefund, "order.refund@1"),
    (NoteExchange, "order.exchange@1"),
    (NoteEscalation, "ticket.escalate@1"),
]


@pytest.mark.parametrize(("kind", "action"), KINDS)
async def test_a_note_twice_is_one_note_on_the_right_contact(given, kind, action):
    step, call = kind(given.adapter), given.call(action)

    shown = await step.preview(call)
    first, second = await step.run(call), await step.run(call)

    assert first == second == await step.lookup(call)
    assert len(shown.changes) == 1
    assert given.effects() == {"note_created": 1}
    body = given.hubspot.notes[first["id"]]["properties"]["hs_note_body"]
    assert first["id"] in given.hubspot.links[given.contact()["id"]]
    assert body.endswith("deskhub:dh_r1_note")


async def test_without_looking_first_there_are_two(given):
    """The sabotaged twin: HubSpot knows no keys."""
    client, now = given.adapter.client, given.ctx.clock.now()

    for _ in range(2):
        await client.add_note(given.contact()["id"], "x deskhub:dh_r1_note", now)

    assert given.effects() == {"note_created": 2}


async def test_what_somebody_wrote_is_text_and_never_html(given):
    call = given.call()
    line = call.subject.lines[0]
    import msgspec

    evil = msgspec.structs.replace(line, title="<img src=x onerror=alert(1)>")
    subject = msgspec.structs.replace(call.subject, lines=(evil,))

    fact = await NoteReturn(given.adapter).run(msgspec.structs.replace(call, subject=subject))

    body = given.hubspot.notes[fact["id"]]["properties"]["hs_note_body"]
    assert "<img" not in body
    assert "&lt;img" in body


async def test_a_lost_answer_is_unknown_and_is_found_though_no_search_knows_it_yet(given):
    step, call = NoteReturn(given.adapter), given.call()
    given.fault("timeout_after", CREATE)

    with pytest.raises(OutcomeUnknown):
        await step.run(call)

    assert await step.lookup(call) == await step.run(call)
    assert given.effects() == {"note_created": 1}
    assert not [one for one in given.hubspot.asked if one.path.endswith("/search")]


@pytest.mark.parametrize("kind", ["timeout_before", "500", "reset", "malformed"])
async def test_an_answer_that_is_none_is_unknown(given, kind):
    step, call = NoteReturn(given.adapter), given.call()
    given.fault(kind, CREATE)

    with pytest.raises(OutcomeUnknown):
        await step.run(call)

    assert await step.lookup(call) is None
    await step.run(call)
    assert given.effects() == {"note_created": 1}


async def test_a_hubspot_that_cannot_be_asked_leaves_nothing_in_doubt(given):
    given.fault("500", "*/associations/notes", times=2)

    with pytest.raises(NotSent):
        await NoteReturn(given.adapter).run(given.call())
    assert given.effects() == {}


async def test_a_token_that_is_refused_leaves_nothing_in_doubt(given):
    given.fault("401", CREATE)

    with pytest.raises(Rejected):
        await NoteReturn(given.adapter).run(given.call())
    assert given.effects() == {}


async def test_a_customer_without_a_contact_is_no_obstacle(given):
    del given.hubspot.contacts[given.contact()["id"]]
    step, call = NoteReturn(given.adapter), given.call()

    shown, fact = await step.preview(call), await step.run(call)

    assert shown.changes == ()
    assert "C-1001" in fact["text"]
    assert await step.lookup(call) == fact
    assert given.effects() == {}


async def test_a_note_is_found_among_hundreds_and_after_a_merge(given):
    step, call = NoteReturn(given.adapter), given.call()
    mine = given.contact()
    for at in range(650):
        given.hubspot._noted(mine["id"], f"note {at}", given.ctx.clock.now())
    fact = await step.run(call)
    other = given.contact("C-1002")["id"]
    number = mine["properties"]["customer_number"]
    given.hubspot.merge(mine["id"], other)
    given.hubspot.contacts[other]["properties"]["customer_number"] = number

    assert await step.lookup(call) == fact
    assert given.effects() == {"note_created": 1}


async def test_a_key_that_begins_like_another_is_another(given):
    step = NoteReturn(given.adapter)
    await step.run(given.call(key="dh_r1_note2"))

    assert await step.lookup(given.call(key="dh_r1_note")) is None
