"""The yardstick python-socketio: a message to the agent and back, acknowledged, not stored."""

from __future__ import annotations

from typing import Any

import socketio
import uvloop

from tests.load.echo import serve_app

server = socketio.AsyncServer(async_mode="asgi", logger=False, engineio_logger=False)
_seq = 0


@server.on("agent")
async def agent(sid: str, _: dict[str, Any]) -> None:
    await server.enter_room(sid, "agents")


@server.on("send")
async def send(sid: str, frame: dict[str, Any]) -> dict[str, Any]:
    global _seq  # noqa: PLW0603  the whole state of this server
    _seq += 1
    event = {
        "seq": _seq, "at": "2026-11-23T09:12:00.123Z", "kind": "message.posted",
        "conversation": frame["conversation"], "by": f"visitor:{sid}",
        "data": {"kind": "text", "text": frame["body"]["text"], "cid": frame["cid"]},
    }  # fmt: skip
    await server.emit("events", event, room="agents")
    await server.emit("events", event, to=sid)
    return {"ok": True, "seq": _seq}


if __name__ == "__main__":
    uvloop.run(serve_app(socketio.ASGIApp(server)))
