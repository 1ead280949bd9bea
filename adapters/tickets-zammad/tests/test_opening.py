"""One ticket for each run, in a system that opens another one for each request."""

from __future__ import annotations

import pytest

from deskhub_sdk import (
    AuthRequired,
    NotSent,
    OutcomeUnknown,
    Preview,
    Rejected,
    Throttled,
)
from deskhub_tickets_zammad.steps import Escalate, OpenCase


@pytest.fixture(params=[OpenCase, Escalate])
def step(given, request):
    return request.param(given.adapter)


async def test_the_preview_opens_nothing_and_counts_the_others(given):
    preview = await OpenCase(given.adapter).preview(given.call(key=""))

    assert isinstance(preview, Preview)
    assert preview.changes[0].after == "Return of order 1042: 399.00 CNY"
    assert preview.detail == "The customer has 1 other open ticket."
    assert given.opened == 0


async def test_twice_is_one_ticket(given, step):
    first = await step.run(given.call())

    assert await step.run(given.call()) == first == await step.lookup(given.call())
    assert given.opened == 1


async def test_without_the_look_up_zammad_opens_two(given):
    """The sabotaged twin: Zammad itself knows no keys."""
    for _ in range(2):
        await given.adapter.client.open(
            key="k", group="Users", title="t", body="b", customer="C-1001",
            conversation=None, tags=(),
        )  # fmt: skip

    assert given.opened == 2


async def test_a_lost_answer_is_looked_up_and_not_repeated(given, step):
    given.fault("timeout_after", "POST *")

    with pytest.raises(OutcomeUnknown):
        await step.run(given.call())

    assert await step.lookup(given.call()) == await step.run(given.call())
    assert given.opened == 1


async def test_a_request_that_never_arrived_is_not_found(given, step):
    given.fault("timeout_before", "POST *")

    with pytest.raises(OutcomeUnknown):
        await step.run(given.call())

    assert await step.lookup(given.call()) is None


async def test_a_condition_that_zammad_cannot_read_finds_nobody_elses_ticket(
    given, monkeypatch
):
    """It answers with every ticket then, and the first of them is not ours."""
    from deskhub_tickets_zammad import simulator_records

    monkeypatch.setattr(simulator_records, "CONDITIONS", {})

    assert await OpenCase(given.adapter).lookup(given.call()) is None
    assert set(await given.adapter.get_tickets(["318"])) == {"318"}
    assert set(await given.adapter.tickets_of(["C-1001"])) == {"C-1001"}


async def test_a_tag_that_somebody_typed_is_no_proof(given):
    given.sim.desk.tickets[318]["_tags"] = [given.call().key]

    assert await OpenCase(given.adapter).lookup(given.call()) is None


async def test_the_ticket_says_what_a_colleague_needs(given):
    await OpenCase(given.adapter).run(given.call())

    ticket = max(given.sim.desk.tickets.values(), key=lambda one: one["id"])
    article = ticket["_articles"][0]
    assert article["body"] == "1 × Shoe (TS-42)\ndamaged\nrefunded: re_1\nr1"
    assert (article["internal"], article["content_type"]) == (True, "text/plain")
    assert ticket["_tags"] == ["deskhub", given.call().key, "return"]


async def test_an_address_is_guessed_and_a_number_is_a_login(given):
    by_address = given.call("k1", email="New.Person@example.com")
    await OpenCase(given.adapter).run(by_address)
    await OpenCase(given.adapter).run(given.call("k2"))

    made = list(given.sim.desk.tickets.values())[-2:]
    assert [one["customer"] for one in made] == ["new.person@example.com", "C-1001"]


@pytest.mark.parametrize("wrong", ["customer", "group"])
async def test_what_zammad_cannot_process_is_rejected_in_its_words(given, wrong):
    if wrong == "group":
        given.sim.desk.groups = ()
    call = given.call(customer="nobody" if wrong == "customer" else "C-1001")

    with pytest.raises(Rejected, match=f"No lookup value found for '{wrong}'"):
        await OpenCase(given.adapter).run(call)
    assert given.opened == 0


async def test_a_ticket_for_nobody_is_refused(given):
    call = given.call(order=False)

    assert (await Escalate(given.adapter).preview(call)).code == "no_customer"
    with pytest.raises(Rejected):
        await Escalate(given.adapter).run(call)


async def test_undo_closes_once_and_says_why(given):
    step = Escalate(given.adapter)
    fact = await step.run(given.call())

    await step.undo(given.call(), fact)
    await step.undo(given.call(), fact)

    ticket = given.sim.desk.tickets[int(fact["ticket"])]
    assert (ticket["state"], len(ticket["_articles"])) == ("closed", 2)
    assert await step.lookup(given.call()) is None


@pytest.mark.parametrize(
    ("kind", "match", "error"),
    [
        ("500", "GET *", NotSent),
        ("500", "POST *", OutcomeUnknown),
        ("malformed", "POST *", OutcomeUnknown),
        ("429", "POST *", Throttled),
        ("401", "POST *", AuthRequired),
    ],
)
async def test_what_zammad_does_wrong_has_a_name(given, step, kind, match, error):
    given.fault(kind, match, times=0, after_s=5)

    with pytest.raises(error):
        await step.run(given.call())
    assert given.opened == 0
