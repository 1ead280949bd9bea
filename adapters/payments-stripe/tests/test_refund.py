"""Money goes back once, by key and by what the refunds themselves say."""

from __future__ import annotations

import asyncio

import pytest

from deskhub_payments_stripe.amounts import units_of
from deskhub_payments_stripe.steps import RefundCancelled, RefundDifference, RefundReturn
from deskhub_sdk import (
    AuthRequired,
    Conflict,
    Money,
    NeedsPerson,
    NotSent,
    OutcomeUnknown,
    Preview,
    Refusal,
    Rejected,
    Throttled,
)


@pytest.fixture
def step(given):
    return RefundReturn(given.adapter)


async def test_the_preview_says_what_becomes_of_the_payment(given, step):
    preview = await step.preview(given.call())

    assert isinstance(preview, Preview)
    assert preview.title == "Refund ¥399.00 to Alipay"
    assert preview.changes[0].after == "¥399.00 of ¥428.00"
    assert preview.fingerprint == "pi_1042:0/42800"
    assert given.refunds == 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"amount": "428.01"}, "over_refund"),
        ({"amount": "10.00", "currency": "USD"}, "other_currency"),
        ({"amount": "0.00"}, "nothing"),
        ({"order": "9999"}, "not_paid"),
    ],
)
async def test_what_cannot_be_refunded_is_refused(given, step, asked, code):
    assert (await step.preview(given.call(**asked))).code == code


async def test_an_order_paid_in_two_parts_is_for_a_person(given, step):
    given.stripe.account.intents["pi_1033"]["metadata"]["order_id"] = "1042"

    assert (await step.preview(given.call())).code == "several_payments"
    with pytest.raises(NeedsPerson):
        await step.run(given.call())
    assert given.refunds == 0


async def test_a_disputed_payment_is_not_paid_back_twice(given, step):
    await given.does("dispute", payment_intent="pi_1042")

    assert (await step.preview(given.call())).code == "disputed"
    with pytest.raises(Rejected):
        await step.run(given.call())


async def test_the_shops_own_note_of_the_payment_needs_no_search(given, step):
    for name in ("pi_1042", "ch_1042"):
        assert isinstance(await step.preview(given.call(payment=name)), Preview)

    assert not [one for one in given.ctx.http.calls if "search" in one]


async def test_twice_is_one_refund_and_the_search_may_lag(given, step):
    first = await step.run(given.call(payment="pi_1042"))
    given.stripe.account.fresh.add("pi_1042")

    assert await step.run(given.call(payment="pi_1042")) == first
    assert given.refunds == 1
    assert first["text"] == f"Refund {first['id']}: ¥399.00 to Alipay"


async def test_after_the_key_was_pruned_the_metadata_still_finds_it(given, step):
    first = await step.run(given.call("100.00"))
    given.stripe.forget_keys()

    assert await step.run(given.call("100.00")) == first
    assert given.refunds == 1


async def test_without_the_look_up_a_pruned_key_pays_twice(given):
    """The sabotaged twin: the key alone holds for a day."""
    for _ in range(2):
        await given.adapter.client.refund(
            "pi_1042", Money("100.00", "CNY"), reason="damaged", key="dh_k"
        )
        given.stripe.forget_keys()

    assert given.refunds == 2


async def test_a_refund_among_hundreds_is_found_page_by_page(given, step):
    first = await step.run(given.call("1.00"))
    for _ in range(230):
        given.stripe.account.add_refund("pi_1042", 1, {})

    assert await step.lookup(given.call("1.00")) == first
    assert sum("/v1/refunds" in one for one in given.ctx.http.calls) == 1 + 1 + 3


async def test_a_lost_answer_is_settled_by_looking_up(given, step):
    given.fault("timeout_after", "POST /v1/refunds")

    with pytest.raises(OutcomeUnknown):
        await step.run(given.call())

    assert await step.lookup(given.call()) == await step.run(given.call())
    assert given.refunds == 1


async def test_a_request_that_a_proxy_sends_twice_is_one_refund(given, step):
    given.fault("duplicate", "POST *")

    await step.run(given.call())

    assert given.refunds == 1


async def test_the_same_key_with_other_parameters_is_a_conflict(given):
    client = given.adapter.client
    await client.refund("pi_1042", Money("1.00", "CNY"), reason="damaged", key="dh_k")

    with pytest.raises(Conflict, match="idempotency_error"):
        await client.refund("pi_1042", Money("2.00", "CNY"), reason="damaged", key="dh_k")
    assert given.refunds == 1


async def test_the_same_key_at_the_same_time_is_an_unknown_outcome(given):
    given.stripe.work_s = 0.2
    ask = given.adapter.client.refund

    async def one():
        try:
            return await ask("pi_1042", Money("1.00", "CNY"), reason="x", key="dh_k")
        except OutcomeUnknown as error:
            return str(error)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(2)]

    assert given.refunds == 1
    assert sum("idempotency_key_in_use" in str(task.result()) for task in tasks) == 1


async def test_a_refusal_under_a_key_is_repeated_until_the_key_is_pruned(given, step):
    given.stripe.account.balance_is_empty = True
    with pytest.raises(NeedsPerson, match="balance_insufficient"):
        await step.run(given.call())
    given.stripe.account.balance_is_empty = False

    with pytest.raises(NeedsPerson, match="balance_insufficient"):
        await step.run(given.call())
    given.stripe.forget_keys()

    assert (await step.run(given.call()))["amount"] == "399.00"
    assert given.refunds == 1


async def test_what_somebody_refunded_in_the_dashboard_is_a_conflict(given, step):
    await given.does("refund", payment_intent="pi_1042", amount=30000)

    with pytest.raises(Conflict):
        await step.run(given.call())
    assert given.refunds == 0


async def test_a_refund_that_failed_at_the_bank_was_none(given, step):
    made = await step.run(given.call("10.00"))
    await given.does("fail", refund=made["id"])

    assert await step.lookup(given.call("10.00")) is None


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
async def test_what_stripe_does_wrong_has_a_name(given, step, kind, match, error):
    given.fault(kind, match, times=0, after_s=5)

    with pytest.raises(error):
        await step.run(given.call())
    assert given.refunds == 0


async def test_an_answer_about_another_refund_is_no_success(given):
    given.stripe.keys.kept["dh_k"] = ("", None)
    made = given.stripe.account.add_refund("pi_1042", 100, {"deskhub_key": "dh_other"})

    async def replaced(*_, **__):
        from aiohttp import web

        return web.json_response(made)

    given.stripe.keys.once = replaced
    with pytest.raises(OutcomeUnknown, match="another refund"):
        await given.adapter.client.refund(
            "pi_1042", Money("1.00", "CNY"), reason="x", key="dh_k"
        )


@pytest.mark.parametrize("kind", [RefundCancelled, RefundDifference])
async def test_of_nothing_there_is_nothing_to_refund(given, kind):
    step, made = kind(given.adapter), given.call("0.00", action=kind.spec.action)

    assert isinstance(await step.preview(made), Preview)
    assert await step.run(made) == await step.lookup(made)
    assert given.refunds == 0


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (Money("12.34", "EUR"), 1234),
        (Money("500", "JPY"), 500),
        (Money("500.00", "XAF"), 500),
        (Money("500", "UGX"), 50000),
        (Money("1.250", "KWD"), 1250),
        (Money("1.25", "OMR"), 1250),
    ],
)
def test_amounts_are_counted_as_stripe_counts(amount, units):
    from deskhub_payments_stripe.amounts import amount_of

    assert units_of(amount) == units
    assert amount_of(units, amount.currency).minor == amount.minor


@pytest.mark.parametrize(
    "amount", [Money("0.50", "XAF"), Money("1.255", "KWD"), Money("5.50", "ISK")]
)
async def test_what_stripe_cannot_move_is_refused_before_it_is_asked(given, amount):
    with pytest.raises(ValueError, match="cannot move"):
        units_of(amount)
    with pytest.raises(Rejected):
        await given.adapter.client.refund("pi_1042", amount, reason="x", key="k")
    assert not [one for one in given.ctx.http.calls if one.startswith("POST")]


async def test_no_refusal_is_a_preview(given, step):
    assert isinstance(await step.preview(given.call("428.01")), Refusal)
