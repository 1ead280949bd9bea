"""The simulators' common ground: counted effects, faults, keys, state, a clean end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from deskhub_sdk import AuthRequired, NotSent, OutcomeUnknown, Throttled, Unavailable
from deskhub_sdk.testing import Answer, Simulator, body_of, build_world, given_context
from deskhub_sdk.testing.world import BASKETS, WANG_FANG, ZHANG_MIN

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Till(Simulator):
    """Takes coins, once per idempotency key."""

    name = "till"
    public = ("/window",)

    def reset(self) -> None:
        self.coins = 0

    def routes(self, app: web.Application) -> None:
        app.add_routes(
            [
                web.post("/coins", self.take),
                web.get("/coins", self.show),
                web.get("/window", self.show),
            ]
        )

    def dump(self):
        return {"coins": self.coins}

    def load(self, dumped) -> None:
        self.coins = dumped["coins"]

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response({"coins": self.coins})

    async def take(self, request: web.Request) -> web.Response:
        wish = await body_of(request)

        def work() -> Answer:
            self.coins += 1
            self.count("coin", request.headers.get("Idempotency-Key", ""))
            return Answer(201, {"coins": self.coins})

        return self.once(request, wish, work)


@pytest.fixture
async def till():
    async with Till(token="t").serving() as running:
        yield running


@pytest.fixture
async def http():
    async with given_context(timeout_s=0.5) as ctx:
        yield ctx.http


def put(http, till, key="", body=None, bearer="t"):
    headers = {"Authorization": f"Bearer {bearer}"}
    if key:
        headers["Idempotency-Key"] = key
    return http.request("POST", f"{till.url}/coins", json=body or {}, headers=headers)


async def control(till, method, path, body=None):
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{till.url}/_sim/{path}", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def test_the_same_key_has_its_effect_once_and_the_same_answer(till, http):
    first, second = await put(http, till, "k"), await put(http, till, "k")

    assert (first.status, first.body) == (second.status, second.body)
    assert second.headers["idempotent-replayed"] == "true"
    assert await control(till, "GET", "effects") == (200, {"coin": 1})
    assert await control(till, "GET", "effects?by=key") == (200, {"coin": {"k": 1}})


async def test_the_same_key_with_another_body_is_refused(till, http):
    await put(http, till, "k", {"a": 1})

    assert (await put(http, till, "k", {"a": 2})).status == 409
    assert till.coins == 1


async def test_without_a_key_every_call_has_its_effect(till, http):
    await put(http, till)
    await put(http, till)

    assert till.coins == 2


@pytest.mark.parametrize(
    ("kind", "error", "coins"),
    [
        ("429", Throttled, 0),
        ("500", OutcomeUnknown, 0),
        ("timeout_before", OutcomeUnknown, 0),
        ("timeout_after", OutcomeUnknown, 1),
        ("slow", OutcomeUnknown, None),
    ],
)
async def test_a_fault_hits_as_often_as_it_was_told(till, http, kind, error, coins):
    status, _ = await control(
        till, "POST", "faults", {"kind": kind, "match": "POST /coins", "after_s": 2}
    )

    with pytest.raises(error):
        await put(http, till, "k")
    effect = till.coins

    assert status == 201
    assert coins in {None, effect}
    assert (await put(http, till, "k2")).status == 201
    assert till.faults.listed() == []


async def test_a_request_that_arrives_twice_needs_its_key(till, http):
    for key in ("", "k"):
        till.faults.add({"kind": "duplicate", "match": "*"})
        await put(http, till, key)

    assert till.coins == 3


async def test_a_fault_hits_only_what_it_matches(till, http):
    till.faults.add({"kind": "500", "match": "GET /coins", "times": 0})

    assert (await put(http, till)).status == 201
    with pytest.raises(Unavailable):
        await http.request("GET", f"{till.url}/coins", headers={"Authorization": "Bearer t"})


@pytest.mark.parametrize("wish", [{"kind": "flood"}, {"kind": "500", "mtach": "*"}, {}])
async def test_a_fault_nobody_knows_is_refused(till, wish):
    status, told = await control(till, "POST", "faults", wish)

    assert (status, told["error"]) == (400, "bad_fault")


async def test_a_wrong_token_is_refused_except_where_everybody_may_look(till, http):
    with pytest.raises(AuthRequired):
        await put(http, till, bearer="guess")

    assert (await http.request("GET", f"{till.url}/window")).status == 200
    assert till.coins == 0


async def test_a_simulator_that_is_gone_was_sent_nothing(http):
    async with Till().serving() as gone:
        url = gone.url

    with pytest.raises(NotSent):
        await http.request("POST", f"{url}/coins", json={})
    with pytest.raises(Unavailable):
        await http.request("GET", f"{url}/coins")


async def test_reset_forgets_everything_that_happened(till, http):
    await put(http, till, "k")

    await control(till, "POST", "reset")

    assert (till.coins, till.effects, list(till.requests)) == (0, {}, [])
    assert (await put(http, till, "k")).status == 201


async def test_a_restarted_simulator_knows_what_it_did(http, tmp_path):
    file = tmp_path / "till.json"
    async with Till(token="t", state=file).serving() as first:
        await put(http, first, "k")

    async with Till(token="t", state=file).serving() as second:
        replayed = await put(http, second, "k")

    assert replayed.headers["idempotent-replayed"] == "true"
    assert (second.coins, dict(second.effects["coin"])) == (1, {"k": 1})


@pytest.mark.parametrize("ending", ["term", "int", "pipe"])
async def test_a_process_says_when_it_is_ready_and_ends_cleanly(ending):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deskhub_orders.simulator", "--port", "0", "--parent-pipe",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30):
        ready = json.loads(await process.stdout.readline())
        if ending == "pipe":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM if ending == "term" else signal.SIGINT)
        _, errors = await process.communicate()

    assert (ready["name"], ready["admin"]) == ("orders", f"{ready['url']}/_sim/")
    assert (process.returncode, errors) == (0, b"")


def test_the_world_is_the_same_every_time():
    assert build_world(NOW) == build_world(NOW)


def test_the_world_moves_with_the_clock_and_keeps_its_people():
    later = datetime(2027, 1, 1, tzinfo=UTC)

    assert list(build_world(NOW).people) == list(build_world(later).people)
    assert {n: o.total for n, o in build_world(NOW).orders.items()} == {
        n: o.total for n, o in build_world(later).orders.items()
    }


def test_the_world_holds_what_the_demo_tells():
    world = build_world(NOW)

    order = world.orders["1042"]
    lines = [(line.title, line.unit_price.amount) for line in order.lines]
    assert (len(world.people), len(world.orders)) == (40, 300)
    assert (order.customer, order.status, order.method) == (WANG_FANG, "delivered", "Alipay")
    assert lines == [("Trail Shoe 42", "399.00"), ("Merino socks, M", "29.00")]
    assert world.payments["pay_1042"].captured.amount == "428.00"
    assert world.orders_of(WANG_FANG)[0].number == "1042"


def test_one_customer_needs_300_different_products():
    world = build_world(NOW)

    products = {line.product for n in BASKETS for line in world.orders[n].lines}
    assert len(products) == 300
    assert [order.number for order in world.orders_of(ZHANG_MIN)] == list(BASKETS[::-1])


def test_no_time_of_the_world_lies_ahead():
    world = build_world(NOW)

    assert all(step.at <= NOW for order in world.orders.values() for step in order.history)
    assert all(case.updated_at <= NOW for case in world.cases.values())
