"""Default deny: every route has a row here that says who may call it, and nobody else may."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route

from deskhub.identity.policy import SCOPE_TABLE
from tests.edge.conftest import World, running
from tests.support.chat import NO_EDGE_LIMITS

EVERYONE = frozenset({"nobody", "visitor", "agent", "supervisor", "admin", "auditor"})
KNOWN = EVERYONE - {"nobody"}
CONSOLE = frozenset({"agent", "supervisor", "admin"})
STAFF = CONSOLE | {"auditor"}
CHATTING = CONSOLE | {"visitor"}
VISITOR = frozenset({"visitor"})
ADMIN = frozenset({"admin"})

TABLE: dict[str, frozenset[str]] = {
    # Public: whoever comes has no token yet, or the answer is public.
    "GET /": EVERYONE,
    "GET /console": EVERYONE,
    "GET /console/{path}": EVERYONE,
    "GET /w/v1/{path}": EVERYONE,
    "GET /console/sw.js": EVERYONE,
    "GET /c/sw.js": EVERYONE,
    "GET /c/{key}": EVERYONE,
    "GET /openapi.json": EVERYONE,
    "GET /asyncapi.json": EVERYONE,
    "GET /healthz": EVERYONE,
    "GET /readyz": EVERYONE,
    "GET /metrics": EVERYONE,
    "GET /auth/{instance}/start": EVERYONE,
    "GET /auth/{instance}/callback": EVERYONE,
    "POST /auth/{instance}/signed-out": EVERYONE,
    "GET /api/v1/sign-in": EVERYONE,
    "GET /api/v1/texts": EVERYONE,
    "POST /api/v1/sessions": EVERYONE,
    "POST /api/v1/sessions/refresh": EVERYONE,
    "POST /api/v1/sessions/exchange": EVERYONE,
    "POST /api/v1/visitors": EVERYONE,
    # The adapter verifies the sender's signature.
    "POST /api/v1/webhooks/{instance}": EVERYONE,
    # The first frame carries the token.
    "WEBSOCKET /api/v1/stream": EVERYONE,
    # The address is signed for its reader, whose rights are asked again.
    "GET /files/{token}": EVERYONE,
    # Mail programs follow it; the address is signed for one reader.
    "GET /mail/{token}": EVERYONE,
    "POST /mail/{token}": EVERYONE,
    "POST /api/v1/conversations/{conversation}/transcript": CHATTING,
    "GET /api/v1/contact": VISITOR,
    "PUT /api/v1/contact": VISITOR,
    "GET /api/v1/inboxes": ADMIN,
    "PATCH /api/v1/inboxes/{inbox}": ADMIN,
    "PUT /api/v1/inboxes/{inbox}/prechat": ADMIN,
    "GET /api/v1/prechat": VISITOR,
    "PUT /api/v1/prechat": VISITOR,
    "GET /api/v1/conversations/{conversation}/prechat": CONSOLE,
    "GET /api/v1/mails": ADMIN,
    "POST /api/v1/mails/{mail}/retry": ADMIN,
    "DELETE /api/v1/mails/{mail}": ADMIN,
    "GET /api/v1/push": CHATTING,
    "PUT /api/v1/push": CHATTING,
    "DELETE /api/v1/push/{device}": CHATTING,
    "POST /api/v1/push/{device}/test": CONSOLE,
    "GET /api/v1/webhooks": ADMIN,
    "GET /api/v1/subscriptions": ADMIN,
    "POST /api/v1/subscriptions": ADMIN,
    "PATCH /api/v1/subscriptions/{subscription}": ADMIN,
    "DELETE /api/v1/subscriptions/{subscription}": ADMIN,
    "POST /api/v1/subscriptions/{subscription}/rotate": ADMIN,
    "POST /api/v1/subscriptions/{subscription}/test": ADMIN,
    "POST /api/v1/subscriptions/{subscription}/replay": ADMIN,
    "GET /api/v1/subscriptions/{subscription}/deliveries": ADMIN,
    "GET /api/v1/subscriptions/{subscription}/deliveries/{delivery}": ADMIN,
    "POST /api/v1/subscriptions/{subscription}/deliveries/{delivery}/replay": ADMIN,
    "DELETE /api/v1/sessions/current": STAFF,
    "GET /api/v1/agents": CONSOLE,
    "GET /api/v1/agents/me": STAFF,
    "PATCH /api/v1/agents/me": STAFF,
    "DELETE /api/v1/users/{agent}": ADMIN,
    "GET /api/v1/customers/{customer}": CONSOLE,
    "GET /api/v1/customers": CONSOLE - {"agent"},
    "POST /api/v1/customers/{customer}/export": CONSOLE - {"agent"},
    "POST /api/v1/customers/{customer}/merge": CONSOLE - {"agent"},
    "POST /api/v1/merges/{merge}/undo": CONSOLE - {"agent"},
    "POST /api/v1/customers/{customer}/erase": ADMIN,
    "GET /api/v1/snapshot": CHATTING,
    # An auditor's stream is open and empty: no event is for them.
    "GET /api/v1/events": KNOWN,
    "GET /api/v1/search": CONSOLE,
    "GET /api/v1/views": CONSOLE,
    "POST /api/v1/conversations/{conversation}/macro": CONSOLE,
    "POST /api/v1/views": CONSOLE,
    "DELETE /api/v1/views/{view}": CONSOLE,
    "POST /api/v1/files": CHATTING,
    "POST /api/v1/files/links": CHATTING,
    "DELETE /api/v1/files/{file}": CHATTING,
    "GET /api/v1/conversations": CONSOLE,
    "POST /api/v1/conversations": VISITOR,
    "GET /api/v1/conversations/{conversation}": CHATTING,
    "GET /api/v1/conversations/{conversation}/messages": CHATTING,
    "POST /api/v1/conversations/{conversation}/messages": CHATTING,
    "POST /api/v1/conversations/{conversation}/notes": CONSOLE,
    "POST /api/v1/conversations/{conversation}/edit": CONSOLE,
    "POST /api/v1/conversations/{conversation}/assign": CONSOLE,
    "POST /api/v1/conversations/{conversation}/close": CONSOLE,
    "POST /api/v1/conversations/{conversation}/rate": VISITOR,
    "POST /api/v1/conversations/{conversation}/reopen": CONSOLE,
    "POST /api/v1/conversations/{conversation}/snooze": CONSOLE,
    "POST /api/v1/conversations/{conversation}/wake": CONSOLE,
    "POST /api/v1/conversations/{conversation}/tags": CONSOLE,
    "POST /api/v1/conversations/{conversation}/read": CHATTING,
    "POST /api/v1/conversations/{conversation}/unread": CONSOLE,
    "PUT /api/v1/conversations/{conversation}/draft": CONSOLE,
    "GET /api/v1/conversations/{conversation}/draft": CONSOLE,
    "GET /api/v1/conversations/{conversation}/cards": CHATTING,
    "GET /api/v1/conversations/{conversation}/actions": CONSOLE,
    "GET /api/v1/actions": CONSOLE,
    "GET /api/v1/actions/{type_}/form": CONSOLE,
    "POST /api/v1/actions/{type_}/plan": CONSOLE,
    "GET /api/v1/plans/{plan}": CONSOLE,
    "POST /api/v1/plans/{plan}/confirm": CONSOLE,
    "POST /api/v1/plans/{plan}/ask": CONSOLE,
    "GET /api/v1/approvals": CONSOLE,
    "POST /api/v1/approvals/{approval}/decide": CONSOLE - {"agent"},
    "GET /api/v1/orders/{object_}/reconcile": CONSOLE,
    "GET /api/v1/audit": STAFF - {"agent"},
    "GET /api/v1/live": STAFF - {"agent"},
    "GET /api/v1/reports/overview": STAFF - {"agent"},
    "GET /api/v1/reports/agents": STAFF - {"agent"},
    "GET /api/v1/reports/inboxes": STAFF - {"agent"},
    "GET /api/v1/reports/tags": STAFF - {"agent"},
    # What customers said is a part of conversations, which an auditor does not read.
    "GET /api/v1/reports/ratings": CONSOLE - {"agent"},
    "GET /api/v1/reports/{name}/csv": STAFF - {"agent"},
    "GET /api/v1/runs": CONSOLE,
    "GET /api/v1/runs/{run}": CONSOLE,
    "POST /api/v1/runs/{run}/resolve": CONSOLE,
    "GET /api/v1/adapters": CONSOLE,
    "GET /api/v1/adapters/{instance}": CONSOLE,
    "GET /api/v1/adapters/{instance}/logs": ADMIN,
    "GET /api/v1/adapters/{instance}/events": ADMIN,
    "GET /api/v1/adapters/{instance}/diagnostics": ADMIN,
    "GET /api/v1/adapters/{instance}/settings": ADMIN,
    "POST /api/v1/adapters/{instance}/settings/preview": ADMIN,
    "POST /api/v1/adapters/{instance}/settings/check": ADMIN,
    "PUT /api/v1/adapters/{instance}/settings": ADMIN,
    "POST /api/v1/adapters/{instance}/test": ADMIN,
    "POST /api/v1/adapters/{instance}/restart": ADMIN,
    "POST /api/v1/adapters/{instance}/call": ADMIN,
    "POST /api/v1/adapters/{instance}/events": ADMIN,
    "POST /api/v1/adapters/{instance}/events/replay": ADMIN,
    "GET /api/v1/market": ADMIN,
    "GET /api/v1/repairs": ADMIN,
    "GET /api/v1/config": ADMIN,
    "GET /api/v1/config/plan": ADMIN,
    "POST /api/v1/config/reload": ADMIN,
}

# Bodies that reach the question of rights where the framework would refuse the shape first.
BODIES: dict[str, dict] = {
    "POST /api/v1/conversations/{conversation}/macro": {"macro": "none"},
    "POST /api/v1/views": {"name": "mine", "address": "mine"},
    "POST /api/v1/customers/{customer}/erase": {"confirm": "Wang Fang"},
    "POST /api/v1/customers/{customer}/merge": {"gone": "k_2"},
    "POST /api/v1/conversations": {"body": {"kind": "text", "text": "hello"}},
    "POST /api/v1/conversations/{conversation}/messages": {"kind": "text", "text": "hello"},
    "POST /api/v1/conversations/{conversation}/notes": {"text": "hello"},
    "POST /api/v1/conversations/{conversation}/assign": {"agent": None},
    "POST /api/v1/conversations/{conversation}/snooze": {"until": "2030-01-01T00:00:00Z"},
    "POST /api/v1/conversations/{conversation}/tags": {"add": ["vip"], "remove": []},
    "POST /api/v1/conversations/{conversation}/read": {"seq": 1},
    "POST /api/v1/conversations/{conversation}/rate": {"score": 5},
    "POST /api/v1/conversations/{conversation}/edit": {"seq": 1, "text": "x", "version": 0},
    "PATCH /api/v1/inboxes/{inbox}": {"asks_rating": False},
    "PUT /api/v1/inboxes/{inbox}/prechat": {"form": None},
    "PUT /api/v1/prechat": {"answers": {}},
    "PUT /api/v1/conversations/{conversation}/draft": {"mode": "reply", "text": "hello"},
    "POST /api/v1/actions/{type_}/plan": {"conversation": "c_1", "input": {}},
    "POST /api/v1/plans/{plan}/confirm": {"digest": "d"},
    "POST /api/v1/plans/{plan}/ask": {"digest": "d"},
    "POST /api/v1/approvals/{approval}/decide": {"do": "approve", "digest": "d"},
    "POST /api/v1/runs/{run}/resolve": {"do": "check"},
    "PATCH /api/v1/agents/me": {},
    "POST /api/v1/adapters/{instance}/call": {"method": "get_orders", "ids": ["1"]},
    "POST /api/v1/adapters/{instance}/events": {"kind": "order.shipped", "object": "1"},
    "POST /api/v1/adapters/{instance}/events/replay": {"id": "e_1"},
    "POST /api/v1/files/links": {"files": ["f_1"]},
    "PUT /api/v1/contact": {"address": None},
    "PUT /api/v1/push": {
        "endpoint": "https://p.example/1",
        "keys": {"p256dh": "a", "auth": "b"},
    },
    "POST /api/v1/subscriptions": {
        "name": "far",
        "url": "https://far.example/",
        "kinds": ["*"],
    },
}
QUERIES = {
    "GET /api/v1/search": {"q": "hello"},
    "GET /api/v1/actions/{type_}/form": {"conversation": "c_1", "object": "orders:1"},
    "GET /api/v1/orders/{object_}/reconcile": {"conversation": "c_1"},
}


def rows_of(routes: list[BaseRoute]) -> set[str]:
    """Return ``METHOD /path`` of every route, those of included routers too."""
    found = set()
    for route in routes:
        path = re.sub(r":path}", "}", getattr(route, "path", ""))
        if isinstance(route, APIRoute | Route):
            found |= {
                f"{method} {path}" for method in (route.methods or ()) if method != "HEAD"
            }
        elif hasattr(route, "original_router"):
            found |= rows_of(route.original_router.routes)
        elif path:
            found.add(f"WEBSOCKET {path}")
    return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub that answers as many calls as there are rows, one after the other."""
    async with running(tmp_path, NO_EDGE_LIMITS) as one:
        yield one


async def test_every_route_has_a_row_and_every_row_a_route(world: World) -> None:
    assert rows_of(list(world.app.routes)) == TABLE.keys()


GUARDED = sorted(row for row, roles in TABLE.items() if roles != EVERYONE)


@pytest.mark.parametrize(
    "role", ["nobody", "visitor", "agent", "supervisor", "admin", "auditor"]
)
async def test_a_role_reaches_what_its_row_allows_and_nothing_else(
    world: World, role: str
) -> None:
    token = None
    if role == "visitor":
        token = (await world.visitor())["token"]
    elif role != "nobody":
        token = await world.agent(role)
    client = await world.client(token, **{"idempotency-key": "cid-1"})
    rows = [row for row in GUARDED if row != "DELETE /api/v1/sessions/current"]

    wrong = {}
    for row in rows:
        method, path = row.split(" ")
        answer = await client.request(
            method,
            re.sub(r"{\w+}", "x_1", path),
            json=BODIES.get(row, {}) if method in ("POST", "PUT", "PATCH") else None,
            params=QUERIES.get(row),
        )
        refused = answer.status_code in (401, 403)
        if refused == (role in TABLE[row]):
            wrong[row] = (answer.status_code, answer.text)
        if role == "nobody":
            assert answer.status_code == 401, row

    assert not wrong


async def test_a_forged_token_opens_nothing(world: World) -> None:
    client = await world.client("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhXzEifQ.")

    statuses = {}
    for row in GUARDED:
        method, path = row.split(" ")
        body = None if method == "GET" else BODIES.get(row, {})
        answer = await client.request(method, re.sub(r"{\w+}", "x_1", path), json=body)
        statuses[row] = answer.status_code

    assert set(statuses.values()) == {401}, statuses


# What a program with every scope reaches: it reads, and looks after adapters.
PROGRAM = frozenset({
    "GET /api/v1/customers/{customer}",
    "GET /api/v1/agents",
    "GET /api/v1/snapshot",
    "GET /api/v1/events",
    "GET /api/v1/conversations",
    "GET /api/v1/conversations/{conversation}",
    "GET /api/v1/conversations/{conversation}/messages",
    "GET /api/v1/conversations/{conversation}/cards",
    "GET /api/v1/conversations/{conversation}/prechat",
    "POST /api/v1/files/links",
    "GET /api/v1/audit",
    "GET /api/v1/live",
    "GET /api/v1/reports/overview",
    "GET /api/v1/reports/agents",
    "GET /api/v1/reports/inboxes",
    "GET /api/v1/reports/tags",
    "GET /api/v1/reports/ratings",
    "GET /api/v1/reports/{name}/csv",
    *(row for row in TABLE if re.search(r"/(adapters|config|market|repairs|subscriptions)\b", row)),
    "GET /api/v1/webhooks",
})  # fmt: skip


async def test_a_program_reaches_what_its_scopes_allow_and_nothing_else(world: World) -> None:
    _, text = await world.hub.identity.api_tokens.issue("main", "all", list(SCOPE_TABLE))
    client = await world.client(text, **{"idempotency-key": "cid-1"})

    reached = {}
    for row in GUARDED:
        method, path = row.split(" ")
        answer = await client.request(
            method,
            re.sub(r"{\w+}", "x_1", path),
            json=BODIES.get(row, {}) if method in ("POST", "PUT", "PATCH") else None,
            params=QUERIES.get(row),
        )
        if answer.status_code not in (401, 403):
            reached[row] = (answer.status_code, answer.text[:90])

    assert reached.keys() == PROGRAM, reached
