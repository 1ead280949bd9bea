"""A program's token does what its scopes say, ends by itself, and is nowhere to be read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from deskhub.errors import NotFound, Unauthenticated
from deskhub.identity.errors import TokenNameTaken, UnknownScope
from deskhub.identity.policy import SCOPE_TABLE, Permission, allowed
from tests.edge.conftest import World, world  # noqa: F401  a fixture


async def test_a_token_may_do_exactly_what_its_scopes_say(world: World) -> None:  # noqa: F811
    _, text = await world.hub.identity.api_tokens.issue("main", "watch", ["adapters.read"])
    client = await world.client(text)

    assert (await client.get("/api/v1/adapters")).status_code == 200
    assert (await client.get("/api/v1/conversations")).status_code == 403
    assert (await client.get("/api/v1/audit")).status_code == 403
    assert (await client.get("/api/v1/agents/me")).status_code == 403


async def test_every_scope_allows_something_and_no_scope_everything() -> None:
    assert all(SCOPE_TABLE.values())
    writing = {Permission.MESSAGE_POST, Permission.ACTION_RUN, Permission.USER_ADMIN}
    assert all(not writing & permissions for permissions in SCOPE_TABLE.values())


async def test_a_scope_that_is_gone_from_the_table_allows_nothing(world: World) -> None:  # noqa: F811
    token, _ = await world.hub.identity.api_tokens.issue("main", "watch", ["audit.read"])

    assert allowed(token.principal("x")) == SCOPE_TABLE["audit.read"]
    object.__setattr__(token, "scopes", frozenset({"audit.raed"}))
    assert allowed(token.principal("x")) == frozenset()


async def test_a_token_of_one_tenant_sees_nothing_of_another(world: World) -> None:  # noqa: F811
    visitor = await world.client((await world.visitor())["token"], **{"idempotency-key": "c-1"})
    opened = await visitor.post(
        "/api/v1/conversations", json={"body": {"kind": "text", "text": "hi"}}
    )
    _, text = await world.hub.identity.api_tokens.issue("rival", "spy", ["conversations.read"])
    client = await world.client(text)

    assert (await client.get("/api/v1/conversations?view=all")).json()["conversations"] == []
    assert (
        await client.get(f"/api/v1/conversations/{opened.json()['conversation']}")
    ).status_code == 404


async def test_a_revoked_token_is_refused_at_once_here(world: World) -> None:  # noqa: F811
    tokens = world.hub.identity.api_tokens
    token, text = await tokens.issue("main", "watch", ["adapters.read"])
    principal = await world.hub.identity.authenticate(text)
    client = await world.client(text)
    assert (await client.get("/api/v1/adapters")).status_code == 200

    assert (await tokens.revoke("main", "watch")).id == token.id

    assert (await client.get("/api/v1/adapters")).status_code == 401
    assert not await world.hub.identity.still_valid(principal)
    with pytest.raises(NotFound):
        await tokens.revoke("main", "watch")


async def test_a_token_ends_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    tokens = world.hub.identity.api_tokens
    token, text = await tokens.issue("main", "watch", ["adapters.read"], days=1)
    await world.hub.identity.authenticate(text)

    monkeypatch.setattr(tokens._clock, "now", lambda: token.expires_at)

    with pytest.raises(Unauthenticated):
        await world.hub.identity.authenticate(text)


async def test_only_the_hash_is_stored(world: World, tmp_path: Path) -> None:  # noqa: F811
    _, text = await world.hub.identity.api_tokens.issue("main", "watch", ["adapters.read"])

    kept = b"".join(one.read_bytes() for one in tmp_path.glob("hub.db*"))
    assert text.encode() not in kept
    assert b"watch" in kept
    with sqlite3.connect(tmp_path / "hub.db") as db:
        (digest,) = db.execute("SELECT digest FROM api_token").fetchone()
    db.close()
    assert len(digest) == 64


async def test_names_are_unique_and_scopes_known(world: World) -> None:  # noqa: F811
    tokens = world.hub.identity.api_tokens
    await tokens.issue("main", "watch", ["adapters.read"])

    with pytest.raises(TokenNameTaken):
        await tokens.issue("main", "watch", ["adapters.read"])
    for scopes in ([], ["adapters.raed"]):
        with pytest.raises(UnknownScope):
            await tokens.issue("main", "other", scopes)
