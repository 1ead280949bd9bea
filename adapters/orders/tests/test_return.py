"""The authorization of a return: once, undone, refused, in doubt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deskhub_orders.steps import Authorize
from deskhub_sdk import Conflict, OrderId, OutcomeUnknown, Preview, Refusal, Rejected, Throttled


async def test_the_preview_changes_nothing_and_says_what_would_be(given):
    call = await given.call()

    shown = await Authorize(given.adapter).preview(call)

    assert isinstance(shown, Preview)
    assert shown.title == "Create a return for 1 item of order #1042"
    assert [(c.label, c.before, c.after) for c in shown.changes] == [
        ("Order #1042", "Delivered", "Return open"),
        ("Trail Shoe 42 returnable", "1", "0"),
    ]
    assert shown.detail == "Day 1 of 30 after delivery, no earlier return on these items."
    assert shown.fingerprint == "1042:v6"
    assert given.effects() == {}


async def test_another_version_has_another_fingerprint(given):
    step, call = Authorize(given.adapter), await given.call()
    before = await step.preview(call)

    await given.press("advance", "1042")

    assert (await step.preview(call)).fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("order", "lines", "code"),
    [
        ("1042", {"L2": 1}, "final_sale"),
        ("1051", {"L1": 1}, "not_delivered"),
        ("1042", {"L1": 2}, "returned_already"),
        ("1017", {"L1": 1}, "too_late"),
        ("1203", {"L1": 1}, "returned_already"),
        ("1226", {"L1": 1}, "order_cancelled"),
    ],
)
async def test_what_the_policy_refuses_is_refused_with_a_reason(given, order, lines, code):
    refused = await Authorize(given.adapter).preview(await given.call(order, lines))

    # A returned pair of gloves in final sale is refused for either reason.
    assert isinstance(refused, Refusal)
    assert refused.code in {code, "final_sale"} if order == "1203" else refused.code == code
    assert refused.text


@pytest.mark.parametrize("settings", [{"return_days": 3650}], indirect=True)
async def test_the_window_is_a_setting(given):
    shown = await Authorize(given.adapter).preview(await given.call("1017"))

    assert isinstance(shown, Preview)


async def test_the_last_day_counts_and_the_next_does_not(given):
    step, call = Authorize(given.adapter), await given.call()
    given.ctx.clock.move(timedelta(days=29, hours=22))
    assert isinstance(await step.preview(call), Preview)

    given.ctx.clock.move(timedelta(hours=2))

    assert (await step.preview(call)).code == "too_late"


async def test_the_step_twice_is_one_return(given):
    step, call = Authorize(given.adapter), await given.call()

    first, second = await step.run(call), await step.run(call)

    assert first == second
    assert first["rma_id"] == "RMA-7001"
    assert given.effects() == {"return_created": 1}


async def test_the_return_closes_the_line_for_another(given):
    step = Authorize(given.adapter)
    await step.run(await given.call())

    refused = await step.preview(await given.call(key="dh_r2_authorize"))
    with pytest.raises(Conflict):
        await step.run(await given.call(key="dh_r2_authorize"))

    assert refused.code == "returned_already"
    assert given.effects() == {"return_created": 1}


async def test_undo_gives_the_line_back_and_repeating_it_does_not_hurt(given):
    step, call = Authorize(given.adapter), await given.call()
    fact = await step.run(call)

    await step.undo(call, fact)
    await step.undo(call, fact)

    order = await given.adapter.fresh(OrderId("1042"))
    assert order.lines[0].returnable == 1
    assert given.effects() == {"return_created": 1, "return_cancelled": 1}
    assert await step.lookup(call) is None


async def test_a_lost_answer_is_an_unknown_outcome_that_the_same_key_settles(given):
    step, call = Authorize(given.adapter), await given.call()
    given.fault(kind="timeout_after", match="POST /api/orders/1042/returns")

    with pytest.raises(OutcomeUnknown):
        await step.run(call)

    found = await step.lookup(call)
    assert found == await step.run(call)
    assert given.effects() == {"return_created": 1}


async def test_a_lost_request_is_unknown_too_and_the_lookup_finds_nothing(given):
    step, call = Authorize(given.adapter), await given.call()
    given.fault(kind="timeout_before", match="POST *")

    with pytest.raises(OutcomeUnknown):
        await step.run(call)

    assert await step.lookup(call) is None
    assert given.effects() == {}


async def test_a_server_error_is_an_unknown_outcome(given):
    given.fault(kind="500", match="POST *")

    with pytest.raises(OutcomeUnknown):
        await Authorize(given.adapter).run(await given.call())


async def test_a_busy_shop_did_nothing(given):
    given.fault(kind="429", match="POST *", after_s=2)

    with pytest.raises(Throttled) as caught:
        await Authorize(given.adapter).run(await given.call())
    assert caught.value.retry_after_s == 2
    assert given.effects() == {}


async def test_a_request_that_arrives_twice_is_one_return(given):
    given.fault(kind="duplicate", match="POST *")

    await Authorize(given.adapter).run(await given.call())

    assert given.effects() == {"return_created": 1}


async def test_the_shops_own_refusal_is_final(given):
    with pytest.raises(Rejected, match="final sale"):
        await Authorize(given.adapter).run(await given.call(lines={"L2": 1}))
    assert given.effects() == {}


async def test_without_keys_the_same_step_would_have_two_effects(given):
    """The sabotaged twin: a client that forgets the key creates the return twice."""
    call = await given.call("1063", {"L1": 1})
    forgetful = [call.key, "another"]

    for key in forgetful:
        await given.adapter.client.create_return(
            call.subject.order.id, call.subject.lines, "damaged", key
        )

    assert given.effects() == {"return_created": 2}
