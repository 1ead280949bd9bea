"""Whoever lost their rights is out: at once in this process, within five seconds anywhere."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
import websockets
from websockets.asyncio.client import connect

from deskhub.errors import Unauthenticated
from deskhub.identity.service import FRESH_S, Identity
from deskhub.store.identity import SqlIdentity
from tests.edge.conftest import World
from tests.edge.test_server import served
from tests.identity.clock import TestClock


async def hello(port: int, token: str) -> websockets.asyncio.client.ClientConnection:
    socket = await connect(f"ws://127.0.0.1:{port}/api/v1/stream")
    await socket.send(json.dumps({"t": "hello", "v": 1, "token": token}))
    assert json.loads(await socket.recv())["t"] == "welcome"
    return socket


async def closed_with(socket: websockets.asyncio.client.ClientConnection) -> int:
    try:
        async with asyncio.timeout(5):
            while True:
                await socket.recv()
    except websockets.ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else 0


@pytest.mark.parametrize("how", ["deactivated", "signed out", "role", "password"])
async def test_an_open_connection_ends_within_five_seconds(world: World, how: str) -> None:
    identity = world.hub.identity
    token = await world.agent()
    (agent,) = await identity.agents("main")
    async with served(world) as (_, port):
        socket = await hello(port, token)
        began = time.monotonic()
        match how:
            case "deactivated":
                await identity.deactivate("main", agent.id)
            case "signed out":
                await identity.sign_out(await identity.authenticate(token))
            case "role":
                await identity.set_role("main", agent.id, "admin")
            case "password":
                await identity.set_password("main", agent.email, "a new long password")

        assert await closed_with(socket) == 4504
        assert time.monotonic() - began < 5


async def test_another_process_learns_of_it_within_two_seconds(world: World) -> None:
    token = await world.agent()
    (agent,) = await world.hub.identity.agents("main")
    clock = TestClock()
    clock.moment = world.hub.clock.now()
    elsewhere = Identity(
        SqlIdentity(world.hub.store, world.hub.clock), world.hub.identity._keys, clock
    )
    principal = await elsewhere.authenticate(token)

    await world.hub.identity.deactivate("main", agent.id)

    clock.forward(FRESH_S)
    with pytest.raises(Unauthenticated):
        await elsewhere.authenticate(token)
    assert not await elsewhere.still_valid(principal)


async def test_a_forged_hello_is_refused_with_a_code_that_ends_reconnecting(
    world: World,
) -> None:
    async with served(world) as (_, port):
        socket = await connect(f"ws://127.0.0.1:{port}/api/v1/stream")
        await socket.send(json.dumps({"t": "hello", "v": 1, "token": "a.b.c"}))

        assert await closed_with(socket) == 4501


async def test_a_stream_from_a_foreign_page_is_refused(world: World) -> None:
    token = (await world.visitor())["token"]
    async with served(world) as (_, port):
        socket = await connect(
            f"ws://127.0.0.1:{port}/api/v1/stream", origin="https://evil.example"
        )
        await socket.send(json.dumps({"t": "hello", "v": 1, "token": token}))

        assert await closed_with(socket) == 4506
