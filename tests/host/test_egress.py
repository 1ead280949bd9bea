"""The one way out: where adapters may go, and what they learn when it goes wrong."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web

from deskhub.host.addresses import AllowList, Refused, check_address
from deskhub.host.egress import Egress, retry_after
from deskhub.host.guard import Figures
from deskhub_sdk import (
    AuthRequired,
    LoaderStats,
    Malformed,
    NotSent,
    OutcomeUnknown,
    StepError,
    Throttled,
    Unavailable,
)
from deskhub_sdk.loader import metered

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Far:
    """A far side on the loopback whose next answers are handlers."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[web.Request] = []
        self.answers: list[Handler] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        await request.read()
        handler = self.answers.pop(0) if self.answers else say(200, b'{"ok":true}')
        return await handler(request)


def say(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return answer


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def stay_silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    far = Far()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", far.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    far.url = f"http://localhost:{runner.addresses[0][1]}"
    yield far
    await runner.cleanup()


@pytest.fixture
async def http(far: Far) -> AsyncIterator[Egress]:
    allow = AllowList(["{config.base_url}"], {"base_url": far.url})
    egress = Egress(allow, Figures(), timeout_s=2.0, max_body_bytes=100_000)
    yield egress
    await egress.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def nowhere(timeout_s: float = 0.4) -> tuple[Egress, str]:
    url = f"http://localhost:{closed_port()}"
    allow = AllowList(["{config.base_url}"], {"base_url": url})
    return Egress(allow, Figures(), timeout_s=timeout_s), url


async def test_an_answer_comes_back_whole(far: Far, http: Egress) -> None:
    far.answers = [say(201, b'{"id":7}', {"X-Request-Id": "r1"})]

    answer = await http.request(
        "POST", f"{far.url}/orders", json={"a": 1}, params={"q": "ä &"}, headers={"Idem": "k"}
    )

    assert (answer.status, answer.json(), answer.headers["x-request-id"]) == (
        201,
        {"id": 7},
        "r1",
    )
    assert far.seen[0].query["q"] == "ä &"
    assert far.seen[0].headers["Idem"] == "k"


async def test_other_statuses_are_returned(far: Far, http: Egress) -> None:
    far.answers = [say(404), say(409), say(422)]

    statuses = [(await http.request("GET", far.url)).status for _ in range(3)]

    assert statuses == [404, 409, 422]


async def test_a_redirect_is_returned_and_never_followed(far: Far, http: Egress) -> None:
    far.answers = [say(302, headers={"Location": "http://169.254.169.254/latest/meta-data"})]

    answer = await http.request("GET", far.url)

    assert answer.status == 302
    assert len(far.seen) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",  # the same place under another name
        "http://localhost:1/",
        "https://localhost:{port}/",
        "http://localhost.evil.example:{port}/",
        "http://user@localhost:{port}/",
        "file:///etc/passwd",
        "http://169.254.169.254/",
        "http://[::1]:{port}/",
        "//localhost:{port}/",
        "http://localhost:99999/",
    ],
)
async def test_only_declared_origins_are_reached(far: Far, http: Egress, url: str) -> None:
    port = far.url.rsplit(":", 1)[1]

    with pytest.raises(Refused):
        await http.request("GET", url.format(port=port))

    assert far.seen == []


async def test_a_declared_name_that_leads_into_the_network_is_refused(far: Far) -> None:
    """The manifest's own hosts must be public; only the admin's may stand in the house."""
    egress = Egress(AllowList([far.url], {}), Figures(), timeout_s=1.0)

    with pytest.raises(Refused):
        await egress.request("GET", far.url)

    assert far.seen == []
    await egress.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1",  # noqa: S104
        "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b:1::1", "::", "64:ff9b::a00:1",
    ],
)  # fmt: skip
def test_addresses_inside_the_network_are_refused(address: str) -> None:
    with pytest.raises(Refused):
        check_address(address, private_ok=False)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1"])  # noqa: S104
def test_some_addresses_are_refused_even_to_the_admin(address: str) -> None:
    with pytest.raises(Refused):
        check_address(address, private_ok=True)


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "::1", "::ffff:10.0.0.1"])
def test_the_admin_may_name_a_system_in_the_house(address: str) -> None:
    check_address(address, private_ok=True)
    check_address("93.184.216.34", private_ok=False)


def test_a_wildcard_covers_names_below_it_only() -> None:
    allow = AllowList(["https://*.kingdee.com"], {})

    allow.check("https://api.kingdee.com/x")
    for url in ("https://kingdee.com/", "https://evilkingdee.com/", "http://api.kingdee.com/"):
        with pytest.raises(Refused):
            allow.check(url)


async def test_an_answer_over_the_limit_is_cut_off(far: Far, http: Egress) -> None:
    far.answers = [say(200, b"x" * 100_001), say(200, b"x" * 100_001)]

    with pytest.raises(Malformed):
        await http.request("GET", far.url)
    with pytest.raises(OutcomeUnknown):
        await http.request("POST", far.url, json={})


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_auth_required(
    far: Far, http: Egress, status: int
) -> None:
    far.answers = [say(status)]

    with pytest.raises(AuthRequired):
        await http.request("POST", far.url)


async def test_a_read_is_repeated_after_429_and_503(far: Far, http: Egress) -> None:
    far.answers = [say(429), say(503)]

    assert (await http.request("GET", far.url)).status == 200
    assert len(far.seen) == 3


async def test_a_write_is_not_repeated_unless_it_may_be(far: Far, http: Egress) -> None:
    far.answers = [say(429)]
    with pytest.raises(Throttled):
        await http.request("POST", far.url)
    assert len(far.seen) == 1

    far.answers = [say(429)]
    assert (await http.request("POST", far.url, repeatable=True)).status == 200


async def test_the_pause_that_was_asked_for_is_kept(far: Far, http: Egress) -> None:
    far.answers = [say(429, headers={"Retry-After": "1"})]
    started = asyncio.get_running_loop().time()

    await http.request("GET", far.url, timeout_s=5)

    assert asyncio.get_running_loop().time() - started >= 1


async def test_a_pause_beyond_the_deadline_is_told_at_once(far: Far, http: Egress) -> None:
    far.answers = [say(429, headers={"Retry-After": "60"})]

    with pytest.raises(Throttled) as thrown:
        await http.request("GET", far.url)

    assert thrown.value.retry_after_s == 60
    assert len(far.seen) == 1


def test_retry_after_is_a_number_or_a_date() -> None:
    now = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)

    assert retry_after({"retry-after": "12"}, now) == 12
    assert retry_after({"retry-after": "Mon, 23 Nov 2026 09:00:30 GMT"}, now) == 30
    assert retry_after({"retry-after": "soon"}, now) is None
    assert retry_after({}, now) is None


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_server_error_says_nothing_about_a_write(
    far: Far, http: Egress, status: int
) -> None:
    far.answers = [say(status), say(status)]

    with pytest.raises(OutcomeUnknown):
        await http.request("POST", far.url)
    with pytest.raises(Unavailable):
        await http.request("GET", far.url)
    assert len(far.seen) == 2


async def test_silence_leaves_a_write_unknown(far: Far, http: Egress) -> None:
    far.answers = [stay_silent, stay_silent]

    with pytest.raises(OutcomeUnknown):
        await http.request("POST", far.url, timeout_s=0.2)
    with pytest.raises(Unavailable):
        await http.request("GET", far.url, timeout_s=0.2)


async def test_a_connection_that_breaks_leaves_a_write_unknown(far: Far, http: Egress) -> None:
    far.answers = [hang_up]
    with pytest.raises(OutcomeUnknown):
        await http.request("POST", far.url)

    far.answers = [hang_up] * 3
    with pytest.raises(Unavailable):
        await http.request("GET", far.url)


async def test_a_write_that_never_left_is_not_sent() -> None:
    egress, url = await nowhere()

    with pytest.raises(NotSent):
        await egress.request("POST", url)
    with pytest.raises(Unavailable) as read:
        await egress.request("GET", url)

    assert not isinstance(read.value, StepError)
    await egress.close()


async def test_what_was_not_sent_is_repeated_when_it_may_be() -> None:
    egress, url = await nowhere(timeout_s=1.0)
    figures = egress._figures

    with pytest.raises(NotSent):
        await egress.request("POST", url, repeatable=True)

    assert figures.http_retries >= 2
    await egress.close()


async def test_repetitions_have_a_budget(far: Far, http: Egress) -> None:
    far.answers = [say(503)] * 200

    for _ in range(30):
        with pytest.raises(Unavailable):
            await http.request("GET", far.url, timeout_s=0.3)

    assert http._figures.http_retries <= 20 + 3
    assert len(far.seen) == 30 + http._figures.http_retries


async def test_a_question_counts_the_calls_made_for_it(far: Far, http: Egress) -> None:
    meter = LoaderStats()
    metered.set(meter)

    await http.request("GET", far.url)

    assert (meter.loads, meter.calls) == (1, 1)
    assert http._figures.http_calls == 1


async def test_cookies_are_not_kept(far: Far, http: Egress) -> None:
    far.answers = [say(200, headers={"Set-Cookie": "sid=1"})]

    await http.request("GET", far.url)
    await http.request("GET", far.url)

    assert "Cookie" not in far.seen[1].headers


async def test_an_adapter_cannot_pretend_to_ask_another_host(far: Far, http: Egress) -> None:
    with pytest.raises(NotSent):
        await http.request("GET", far.url, headers={"Host": "internal"})
