"""Every error is an RFC 9457 problem with the catalogue's code, and nothing more."""

from __future__ import annotations

import logging

import pytest

from deskhub.errors import CATALOGUE
from tests.edge.conftest import PASSWORD, World

MEMBERS = {"type", "title", "status", "code", "detail", "retry", "request_id"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("GET", "/api/v2/sessions", 404, "not_found"),
        ("POST", "/api/v1/sign-in", 405, "method_not_allowed"),
        ("TRACE", "/api/v1/sign-in", 405, "method_not_allowed"),
        ("GET", "/api/v1/agents/me", 401, "unauthenticated"),
        ("POST", "/api/v1/sessions", 422, "invalid"),
        ("GET", "/w/v1/../../app.py", 404, "not_found"),
        ("GET", "/w/v1/nothing.js", 404, "not_found"),
        ("GET", "/console/assets/nothing.js", 404, "not_found"),
    ],
)
async def test_an_error_is_a_problem(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    answer = await (await world.client()).request(method, path)

    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() - {"errors", "after_ms"} == MEMBERS
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["detail"] == CATALOGUE[code].text
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_fault_of_ours_says_nothing_about_itself(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    @world.app.get("/api/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError("a secret of the house")

    with caplog.at_level(logging.ERROR, logger="deskhub.edge"):
        answer = await (await world.client()).get("/api/v1/broken")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert [record.message for record in caplog.records] == ["request_failed"]


async def test_validation_names_the_fields_and_repeats_no_values(world: World) -> None:
    body = {"email": 7, "password": PASSWORD, "colour": "hidden-value"}

    answer = await (await world.client()).post("/api/v1/sessions", json=body)

    assert answer.json()["errors"] == [
        {"path": "email", "code": "string_type", "text": "Input should be a valid string."},
        {"path": "colour", "code": "extra_forbidden", "text": "There is no such field."},
    ]
    assert "hidden-value" not in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("name", ["token", "access_token", "Token"])
async def test_a_token_in_the_address_is_refused(world: World, name: str) -> None:
    client = await world.client(await world.agent())

    answer = await client.get("/api/v1/agents/me", params={name: "x"})

    assert (answer.status_code, answer.json()["code"]) == (400, "token_in_url")


@pytest.mark.parametrize(
    "value", ["Basic YTpi", "Bearer", "Bearer ", "bearer x.y.z", "x" * 5000]
)
async def test_a_header_that_is_no_token_is_a_401(world: World, value: str) -> None:
    client = await world.client(authorization=value)

    answer = await client.get("/api/v1/agents/me")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="deskhub"'


async def test_each_request_leaves_one_line_without_secrets(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    token = await world.agent()
    client = await world.client(token)

    with caplog.at_level(logging.INFO, logger="deskhub.edge"):
        await client.get("/api/v1/agents/me?note=private")
        await client.post(
            "/api/v1/sessions", json={"email": "who@example.com", "password": PASSWORD}
        )

    lines = [record for record in caplog.records if record.message == "request_served"]
    assert [(line.route, line.status, line.code) for line in lines] == [
        ("/api/v1/agents/me", 200, None),
        ("/api/v1/sessions", 401, "sign_in_refused"),
    ]
    assert lines[0].by.startswith("agent:a_")
    # What the test's own client says of its requests is not the hub's.
    own = [record for record in caplog.records if record.name.startswith("deskhub")]
    everything = " ".join(str(vars(record)) for record in own)
    for secret in (token, PASSWORD, "who@example.com", "private"):
        assert secret not in everything


async def test_a_callers_request_id_is_kept_when_it_is_harmless(world: World) -> None:
    good = await (await world.client(**{"x-request-id": "shop-12345678"})).get(
        "/api/v1/sign-in"
    )
    bad = await (await world.client(**{"x-request-id": "<script>x"})).get("/api/v1/sign-in")

    assert good.headers["x-request-id"] == "shop-12345678"
    assert bad.headers["x-request-id"].startswith("r_")


@pytest.mark.parametrize(
    "path", ["/api/v1/conversations", "/api/v1/conversations/c_1/messages"]
)
async def test_a_place_beyond_every_database_is_refused(world: World, path: str) -> None:
    client = await world.client(await world.agent())

    answer = await client.get(path, params={"before": 10**30})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "query.before"
