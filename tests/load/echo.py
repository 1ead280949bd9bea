"""The yardstick: a WebSocket echo on the same server stack, without anything of Deskhub."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from deskhub.edge.server import Server


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send every text frame back."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] != "websocket.receive":
            return
        await send({"type": "websocket.send", "text": message["text"]})


async def serve_app(app: ASGIApp) -> None:
    """Serve *app* with the hub's settings; say where on stdout."""
    settings = uvicorn.Config(
        app, port=0, ws="websockets-sansio", ws_per_message_deflate=False,
        ws_ping_interval=None, log_config=None, access_log=False, lifespan="off",
    )  # fmt: skip
    web = Server(settings)
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, lambda: setattr(web, "should_exit", True)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(web.serve())
        while not web.started:
            await asyncio.sleep(0.01)
        port = web.servers[0].sockets[0].getsockname()[1]
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(serve_app(echo))
