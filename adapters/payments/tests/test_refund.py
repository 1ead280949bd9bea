"""Money goes back once, however often the step is called and whatever gets lost."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from deskhub_payments import client
from deskhub_payments.steps import Refund
from deskhub_sdk import (
    AuthRequired,
    Conflict,
    Money,
    NeedsPerson,
    NotSent,
    OutcomeUnknown,
    Preview,
    Rejected,
    Throttled,
)


@pytest.fixture
def step(given, monkeypatch):
    monkeypatch.setattr(client, "REFUND_S", 0.5)
    return Refund(given.adapter)


async def test_the_preview_says_what_becomes_of_the_payment(given, step, call):
    shown = await step.preview(call())

    assert isinstance(shown, Preview)
    assert shown.title == "Refund ¥399.00 to Alipay"
    assert [(c.label, c.before, c.after) for c in shown.changes] == [
        ("Refunded", "¥0.00", "¥399.00 of ¥428.00")
    ]
    assert shown.cost == Money("399.00", "CNY")
    assert shown.fingerprint == "pay_1042:0/42800"
    assert given.effects() == {}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"amount": "428.01"}, "over_refund"),
        ({"amount": "10.00", "currency": "USD"}, "other_currency"),
        ({"amount": "0.00"}, "nothing"),
        ({"order": "9999"}, "not_paid"),
        ({"order": "1226"}, "over_refund"),
    ],
)
async def test_what_cannot_be_refunded_is_refused(given, step, call, asked, code):
    assert (await step.preview(call(**asked))).code == code


async def test_a_refund_in_between_changes_the_fingerprint(given, step, call):
    before = await step.preview(call())

    await step.run(call(amount="1.00", key="dh_other"))

    assert (await step.preview(call(amount="399.00"))).fingerprint != before.fingerprint


async def test_the_step_twice_is_one_refund(given, step, call):
    first, second = await step.run(call()), await step.run(call())

    assert first == second
    assert first["text"] == f"Refund {first['refund_id']}: ¥399.00 to Alipay"
    assert given.effects() == {"refund": 1}
    assert given.provider.payments["pay_1042"]["refunded"] == 39900


async def test_the_provider_itself_honours_the_key(given):
    for _ in range(2):
        await given.adapter.client.refund(
            "pay_1042", Money("10.00", "CNY"), reason="damaged", key="dh_k"
        )

    assert given.effects() == {"refund": 1}


async def test_after_the_key_has_expired_the_reference_still_finds_the_refund(
    given, step, call
):
    first = await step.run(call(amount="100.00"))
    given.provider.forget_keys()

    assert await step.run(call(amount="100.00")) == first
    assert given.effects() == {"refund": 1}


async def test_without_the_look_up_an_expired_key_pays_twice(given):
    """The sabotaged twin: the key alone is not enough after a day."""
    for _ in range(2):
        await given.adapter.client.refund(
            "pay_1042", Money("100.00", "CNY"), reason="damaged", key="dh_k"
        )
        given.provider.forget_keys()

    assert given.effects() == {"refund": 2}


async def test_a_lost_answer_is_an_unknown_outcome_that_the_same_key_settles(given, step, call):
    given.fault(kind="timeout_after", match="POST /v1/refunds")

    with pytest.raises(OutcomeUnknown):
        await step.run(call())

    found = await step.lookup(call())
    assert found is not None
    assert await step.run(call()) == found
    assert given.effects() == {"refund": 1}


async def test_a_lost_request_is_unknown_and_the_look_up_finds_nothing(given, step, call):
    given.fault(kind="timeout_before", match="POST /v1/refunds")

    with pytest.raises(OutcomeUnknown):
        await step.run(call())

    assert await step.lookup(call()) is None
    assert given.effects() == {}


async def test_a_provider_that_cannot_be_read_was_sent_nothing(given, step, call):
    given.fault(kind="500", match="GET *", times=0)

    with pytest.raises(NotSent):
        await step.run(call())
    assert given.effects() == {}


async def test_a_server_error_of_the_refund_is_an_unknown_outcome(given, step, call):
    given.fault(kind="500", match="POST *")

    with pytest.raises(OutcomeUnknown):
        await step.run(call())


async def test_a_busy_provider_did_nothing(given, step, call):
    given.fault(kind="429", match="POST *", after_s=3)

    with pytest.raises(Throttled) as caught:
        await step.run(call())
    assert caught.value.retry_after_s == 3
    assert given.effects() == {}


async def test_a_request_that_arrives_twice_is_one_refund(given, step, call):
    given.fault(kind="duplicate", match="POST *")

    await step.run(call())

    assert given.effects() == {"refund": 1}


async def test_a_payment_under_review_needs_a_person(given, step, call):
    given.provider.held.add("pay_1042")

    with pytest.raises(NeedsPerson):
        await step.run(call())
    assert given.effects() == {}


async def test_what_somebody_else_refunded_meanwhile_is_a_conflict(given, step, call):
    await step.run(call(amount="300.00", key="dh_other"))

    with pytest.raises(Conflict):
        await step.run(call(amount="399.00"))
    assert given.effects() == {"refund": 1}


async def test_a_full_refund_can_be_repeated_too(given, step, call):
    first = await step.run(call(amount="428.00"))

    assert await step.run(call(amount="428.00")) == first
    assert given.effects() == {"refund": 1}


async def test_the_providers_own_refusal_is_final(given):
    with pytest.raises(Rejected, match="more than what is left"):
        await given.adapter.client.refund(
            "pay_1042", Money("500.00", "CNY"), reason="damaged", key="dh_k"
        )


async def test_the_provider_tells_the_hub_after_a_refund(given, step, call):
    told = asyncio.Queue()

    async def hub(request):
        await told.put(await request.json())
        return web.json_response({"accepted": 1}, status=202)

    app = web.Application()
    app.router.add_post("/api/v1/webhooks/payments", hub)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    given.provider.hub = f"http://127.0.0.1:{runner.addresses[0][1]}"

    await step.run(call())

    async with asyncio.timeout(5):
        event = await told.get()
    await runner.cleanup()
    assert (event["kind"], event["payment"]["refunded"]) == ("payment.refunded", 39900)


async def test_an_order_that_was_never_paid_is_rejected(given, step, call):
    with pytest.raises(Rejected):
        await step.run(call(order="9999"))


async def test_a_wrong_token_needs_an_admin(given, step, call):
    given.provider.token = "another"

    with pytest.raises(AuthRequired):
        await step.run(call())
