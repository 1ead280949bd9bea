"""The AsyncAPI document of the stream, made from the frames themselves."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from typing import Any, get_args

import msgspec

from deskhub.stream import frames as f
from deskhub.stream import told
from deskhub.stream.errors import Close
from deskhub.stream.limits import Limits

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_CLIENT, _SERVER = "client", "server"
_EVENT: Json = {
    "seq": 41, "at": "2026-11-23T09:12:00.123Z", "kind": "message.posted",
    "conversation": "c_1", "by": "visitor:v_1",
    "data": {"kind": "text", "text": "Hello", "name": "Wang Fang", "cid": "0198c5"},
}  # fmt: skip
_HERE: Json = {"id": "1", "conversation": "c_1", "cid": "0198c5"}
_ERROR: Json = {
    "code": "rate_limited", "retry": "later", "after_ms": 500, "text": "Too many requests.",
}  # fmt: skip

# One example for each frame; a test validates them against the schemas.
EXAMPLES: dict[str, tuple[Json, ...]] = {
    "client.hello": (
        {"v": 1, "token": "eyJ…", "cursor": "4f1c0a:41",
         "client": {"name": "console", "version": "1.0"}},
    ),
    "client.send": (
        _HERE | {"body": {"kind": "text", "text": "Hello"}},
        _HERE | {"conversation": "new", "language": "zh-CN",
                 "body": {"kind": "text", "text": "你好"}},
    ),
    "client.note": (_HERE | {"text": "Called back"},),
    "client.edit": (_HERE | {"seq": 41, "text": "Called back at 9", "version": 0},),
    "client.assign": (_HERE | {"agent": "a_1"}, _HERE | {"agent": None, "how": "transfer"}),
    "client.close": (_HERE,),
    "client.reopen": (_HERE,),
    "client.wake": (_HERE,),
    "client.snooze": (_HERE | {"until": "2026-11-24T09:00:00Z"},),
    "client.tag": (_HERE | {"add": ["vip"], "remove": []},),
    "client.read": ({"conversation": "c_1", "seq": 41},),
    "client.unread": ({"conversation": "c_1"},),
    "client.rate": (_HERE | {"score": 5, "comment": "Quick and kind"},),
    "client.typing": ({"conversation": "c_1", "on": True},),
    "client.open": ({"conversation": "c_1", "on": True},),
    "client.ack": ({"seq": 41},),
    "client.auth": ({"id": "2", "token": "eyJ…"},),
    "client.ping": ({"k": 1},),
    "client.pong": ({"k": 7},),
    "server.welcome": (
        {"v": 1, "sid": "w_1", "now": "2026-11-23T09:12:00.123Z", "heartbeat_s": 25,
         "limits": {"frame_bytes": 65536, "text_bytes": 16384, "in_flight": 32,
                    "sends_per_s": 20, "sends_burst": 40},
         "cursor": "4f1c0a:41", "mode": "resumed"},
    ),
    "server.events": ({"from": "4f1c0a:40", "to": "4f1c0a:41", "events": [_EVENT]},),
    "server.reset": ({"cursor": "4f1c0a:41", "why": "too_far"},),
    "server.result": (
        {"id": "1", "ok": True, "seq": 41, "dup": False, "conversation": "c_1"},
        {"id": "1", "ok": False, "error": _ERROR},
    ),
    "server.error": ({"error": {"code": "invalid", "retry": "never", "text": "No shape."}},),
    "server.ephemeral": (
        {"kind": "typing", "conversation": "c_1", "by": "agent:a_1",
         "data": {"on": True, "name": "Li Wei"}, "ttl_s": 6},
    ),
    "server.lag": ({"head": 4100},),
    "server.auth_soon": ({"in_s": 60},),
    "server.drain": ({"window_ms": [0, 4000]},),
    "server.ping": ({"k": 7},),
    "server.pong": ({"k": 1},),
}  # fmt: skip


@functools.cache
def document(version: str) -> Json:
    """Return the AsyncAPI 3.0 document of the stream."""
    incoming, outgoing = get_args(f.Incoming), get_args(told.Outgoing)
    # A frame that both sides send has one schema.
    kinds = list(dict.fromkeys((*incoming, *outgoing)))
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    messages = _messages(_CLIENT, incoming) | _messages(_SERVER, outgoing)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Deskhub stream",
            "version": version,
            "description": "WebSocket `deskhub.v1`: JSON text frames, one object each. "
            "The first is `hello`. Unknown fields are ignored; an unknown `t` is answered "
            "with `unknown_type`. Long poll and REST carry the same event objects.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "stream": {
                "address": "/api/v1/stream",
                "messages": {n: {"$ref": f"#/components/messages/{n}"} for n in messages},
                "bindings": {"ws": {"method": "GET"}},
                "x-close-codes": {str(int(code)): code.name.lower() for code in Close},
                "x-limits": _limits(Limits()),
            }
        },
        "operations": {
            "receive": _operation("receive", "What the hub understands.", messages, _CLIENT),
            "send": _operation("send", "What the hub sends.", messages, _SERVER),
        },
        "components": {"messages": messages, "schemas": schemas},
    }


def _messages(side: str, kinds: Iterable[type[msgspec.Struct]]) -> Json:
    found: Json = {}
    for kind in kinds:
        tag = str(kind.__struct_config__.tag)
        name = f"{side}.{tag}"
        found[name] = {
            "name": tag,
            "summary": (inspect.getdoc(kind) or "").partition("\n")[0],
            "payload": {"$ref": _REF.format(name=kind.__name__)},
            "examples": [{"payload": {"t": tag} | one} for one in EXAMPLES[name]],
        }
    return found


def _operation(action: str, summary: str, messages: Json, side: str) -> Json:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/stream"},
        "messages": [
            {"$ref": f"#/channels/stream/messages/{name}"}
            for name in messages
            if name.startswith(f"{side}.")
        ],
    }


def _limits(limits: Limits) -> Json:
    return {
        "frame_bytes": limits.frame_bytes,
        "in_flight": limits.in_flight,
        "hello_s": limits.hello_s,
        "heartbeat_s": limits.heartbeat_s,
        "resume_events": limits.resume_events,
        "resume_bytes": limits.resume_bytes,
    }
